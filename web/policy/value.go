package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// showValue writes a value of the catalog, as JSON has it, on one line.
func showValue(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return map[bool]string{true: "是", false: "否"}[v]
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = showValue(one)
		}
		if slices.ContainsFunc(v, func(one any) bool { _, mapping := one.(map[string]any); return mapping }) {
			return strings.Join(parts, "\n")
		}
		return strings.Join(parts, "、")
	case map[string]any:
		return showMapping(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	}
}

// showMapping writes a step of a chain by its mode, an option by its label, and
// anything else key by key.
func showMapping(v map[string]any) string {
	if mode, ok := v["mode"].(string); ok {
		rest := maps.Clone(v)
		delete(rest, "mode")
		text := catalog.Mode(mode).Name()
		if len(rest) > 0 {
			text += "（" + showMapping(rest) + "）"
		}
		return text
	}
	var parts []string
	for _, key := range sortedKeys(v) {
		if text := showValue(v[key]); text != "" {
			parts = append(parts, keyName(key)+"："+strings.ReplaceAll(text, "\n", "；"))
		}
	}
	return strings.Join(parts, "，")
}

// keyName gives the Chinese name of a key of the catalog's files, or the key.
func keyName(key string) string {
	return named(key, map[string]string{
		"name": "名称", "when": "适用条件", "need": "必要性", "kind": "类别", "basis": "设定依据", "origin": "来源", "standard_material": "标准材料",
		"subjects": "所属角色", "proofs": "证明组合", "prior": "前序事项", "prior_all": "须全部前序", "chain": "顺位", "note": "说明", "common": "通用材料",
		"lookups": "核验", "dataset": "数据资源", "subject": "按谁查", "release": "给出的数据项", "yes_no": "只给结论", "check": "核验条件", "check_text": "核验说明",
		"for": "适用的当事人", "department": "部门", "days": "工作日", "minutes": "分钟", "months": "月", "after": "先办事项", "result": "办理结果", "level": "行使层级",
		"basic_code": "基本编码", "implementation_code": "实施编码", "stage": "阶段", "handling": "办理方式", "lead": "牵头部门", "stages": "阶段", "feeds": "结果流向",
		"params": "参数", "sharing": "共享属性", "scope": "共享范围", "purpose": "使用用途", "clause": "不予共享依据", "terms": "使用条件", "update": "更新频率",
		"sensitivity": "敏感级别", "verify": "核验回答", "consent": "授权", "certificate": "电子证照", "asked_by": "可按谁查", "fields": "数据项", "type": "类型",
		"valid_until": "有效期止", "resource_code": "资源代码", "ask": "问题", "options": "选项", "label": "名称", "value": "值", "derived": "推得", "kinds": "当事人种类",
		"path": "路径", "address": "地址", "preview": "先看后用", "credit_code": "统一社会信用代码", "code": "代码", "one_thing": "一件事", "fresh_hours": "时效（小时）",
		"national": "国家清单要素", "medium": "材料形式", "situation": "非必要时办理情形", "origin_note": "来源渠道说明", "blank_form": "空白表格", "sample": "示例样表",
		"originals": "原件份数", "copies": "复印件份数", "specification": "规格", "instructions": "填报须知", "acceptance": "受理标准", "on_site": "本人现场填写",
		"why_paper": "无法免交说明", "classification": "信息资源分类", "summary": "摘要", "format": "信息资源格式", "openness": "开放属性", "published": "发布日期",
		"related": "关联资源代码", "sources": "数源接口", "public_utility": "公用企业",
	})
}

// placeName names a place such as "proofs.1.check".
func placeName(place string) string {
	parts := strings.Split(place, ".")
	for i, part := range parts {
		if n, err := strconv.Atoi(part); err == nil {
			parts[i] = "第 " + strconv.Itoa(n) + " 组"
		} else {
			parts[i] = keyName(part)
		}
	}
	return strings.Join(parts, " › ")
}

// valueName gives the Chinese name of a value that the catalog writes as a code.
func valueName(place, value string) string {
	switch place[strings.LastIndexByte(place, '.')+1:] {
	case "need":
		return needName(catalog.Need(value))
	case "origin":
		return originName(value)
	case "kind":
		return kindName(value)
	case "sharing":
		return sharingName(catalog.Sharing(value))
	case "update":
		return updateName(value)
	case "medium":
		return named(value, map[string]string{"paper": "纸质", "electronic": "电子", "either": "纸质或电子"})
	case "handling":
		return handlingName(catalog.Handling(value))
	default:
		return value
	}
}
