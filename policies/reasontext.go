package policies

// Text says a reason in words, for those who read the record (官员可读).
func (r ReasonOfDecision) Text() string {
	if text, known := reasonTexts()[r]; known {
		return text
	}
	return "未知的理由"
}

func reasonTexts() map[ReasonOfDecision]string {
	return map[ReasonOfDecision]string{
		OwnRecord:         "本部门为自己的办件查自己的记录",
		GrantCovers:       "共享授权覆盖全部所需数据项",
		GrantMissing:      "本部门没有为这个事项取得这项数据的共享授权",
		GrantIsStopped:    "共享授权已被停用",
		GrantIsSuspended:  "共享授权已暂停",
		GrantIsTerminated: "共享授权已终止",
		GrantNotYet:       "共享授权尚未生效",
		GrantExpired:      "共享授权已到期",
		GrantLacksField:   "共享授权没有包括某些所需数据项",
		StatutoryDuty:     "为履行法定职责所必需（个人信息保护法第十三条）",
		OwnConsent:        "本人单独同意",
		GuardianConsent:   "监护人同意（不满十四周岁）",
		BasisMissing:      "查这个人没有法律依据",
		ConsentAwaited:    "需要同意，尚未表示",
		ConsentExpired:    "同意已过期限",
		ConsentLacksField: "同意没有包括某些所需数据项",
		ConsentDenied:     "本人或监护人不同意",
		DatasetWithheld:   "数据资源不予共享",
		FieldWithheld:     "某个数据项不予共享",
		SystemIsStopped:   "接入系统已被停用",
		DatasetIsStopped:  "数据资源已被停用",
		MatterDecided:     "事项已经办结，不再查询",
		MatterNotOpen:     "本办件不办这个事项",
		MaterialNotListed: "目录中，这项材料不用这项数据",
		RoleNotListed:     "目录中，这项材料不查这个角色的人",
		PartyNotInRole:    "当事人在本办件中没有这个角色",
		FieldUnknown:      "数据资源没有这个数据项",
		OfficerDecides:    "由被请求协查的部门人员决定是否告知",
	}
}
