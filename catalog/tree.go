package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// tree is a YAML file as plain values, with the line of each.
type tree struct {
	root any              // map[string]any, []any, string, float64, bool, nil
	at   map[string]place // by JSON pointer
}

// place is where a value stands.
type place struct {
	key  int  // the line of its key, or its own in a list
	line int  // the line where the value begins
	text bool // a block text, which begins on the line after
}

// line gives the line of a pointer, or of the nearest thing around it.
func (t *tree) line(pointer string) int {
	for {
		if p, ok := t.at[pointer]; ok {
			return p.key
		}
		cut := strings.LastIndexByte(pointer, '/')
		if cut < 0 {
			return 1
		}
		pointer = pointer[:cut]
	}
}

// textLine gives the line of a place inside a text.
func (t *tree) textLine(pointer string, line int) int {
	p, ok := t.at[pointer]
	if !ok {
		return t.line(pointer)
	}
	if p.text {
		line++
	}
	return p.line + line - 1
}

// yamlError takes the message of the library apart. It counts the lines of the
// faults that its parser finds from 0, and those that its scanner finds from 1.
var (
	yamlError  = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)
	fromParser = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key$|',')`)
)

// parse reads one YAML document. What it refuses besides broken YAML: aliases,
// which would make one line stand for many, and a key given twice.
func (f *file) parse() Faults {
	if !utf8.Valid(f.content) {
		return Faults{f.fault("", "bad-yaml", "文件不是 UTF-8 文本")}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(f.content))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return Faults{f.yamlFault(err)}
	}
	if len(document.Content) == 0 {
		return Faults{f.yamlFault(io.EOF)}
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		return Faults{{f.name, max(second.Line, 1), "bad-yaml", "一个文件只能有一份 YAML 文档"}}
	case !errors.Is(err, io.EOF):
		return Faults{f.yamlFault(err)}
	}
	builder := treeBuilder{file: f, at: map[string]place{}}
	root := builder.value(document.Content[0], "", document.Content[0].Line)
	f.tree = &tree{root: root, at: builder.at}
	return builder.faults
}

func (f *file) yamlFault(err error) Fault {
	if errors.Is(err, io.EOF) {
		return f.fault("", "bad-yaml", "文件是空的")
	}
	parts := yamlError.FindStringSubmatch(err.Error())
	if parts == nil {
		return f.fault("", "bad-yaml", "YAML 有误："+firstLine(err.Error()))
	}
	line, _ := strconv.Atoi(parts[1]) // 0 where it says none
	if fromParser.MatchString(parts[2]) {
		line++
	}
	return Fault{f.name, max(line, 1), "bad-yaml", "YAML 有误：" + parts[2]}
}

type treeBuilder struct {
	file   *file
	at     map[string]place
	faults Faults
}

func (b *treeBuilder) value(node *yaml.Node, pointer string, key int) any {
	b.at[pointer] = place{key: key, line: node.Line, text: node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0}
	switch node.Kind {
	case yaml.MappingNode:
		return b.mapping(node, pointer)
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, item := range node.Content {
			list[i] = b.value(item, pointer+"/"+strconv.Itoa(i), item.Line)
		}
		return list
	case yaml.ScalarNode:
		return scalar(node)
	default:
		b.faults = append(b.faults, Fault{b.file.name, max(node.Line, 1), "alias", "不能用 YAML 别名（*），请写出内容"})
		if node.Alias != nil && node.Alias.Kind == yaml.ScalarNode {
			return scalar(node.Alias) // so that the schema does not complain as well
		}
		return nil
	}
}

func (b *treeBuilder) mapping(node *yaml.Node, pointer string) map[string]any {
	fields := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			b.faults = append(b.faults, Fault{b.file.name, max(key.Line, 1), "bad-yaml", "键应为文本"})
			continue
		}
		if _, twice := fields[key.Value]; twice {
			b.faults = append(b.faults, Fault{b.file.name, key.Line, "duplicate-key", fmt.Sprintf("键 %s 写了两次", key.Value)})
			continue
		}
		fields[key.Value] = b.value(node.Content[i+1], pointer+"/"+escape(key.Value), key.Line)
	}
	return fields
}

// scalar types a value as JSON does. What YAML takes for a date or a number in
// another notation stays the text that is written.
func scalar(node *yaml.Node) any {
	switch node.ShortTag() {
	case "!!bool":
		var v bool
		if node.Decode(&v) == nil {
			return v
		}
	case "!!int", "!!float":
		if v, err := strconv.ParseFloat(node.Value, 64); err == nil && v-v == 0 {
			return v
		}
	case "!!null":
		return nil
	}
	return node.Value
}

// escape makes a key part of a JSON pointer.
func escape(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
