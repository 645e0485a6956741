package clerk

import "mianti/web/frame"

// resolve resolves a case, once more or for the first time.
func (d *desk) resolve(v *frame.Visit) (frame.Answer, error) {
	id := v.Param("id")
	if _, err := d.Acts.Resolve(v.Context(), v.Caller, id, nil); err != nil {
		return frame.Answer{}, err
	}
	return frame.GoSaying(casePath(id), "核验完成，结果在下面。"), nil
}

// askConsents asks those whose consent is missing.
func (d *desk) askConsents(v *frame.Visit) (frame.Answer, error) {
	id := v.Param("id")
	asked, err := d.Acts.AskConsents(v.Context(), v.Caller, id, nil)
	if err != nil {
		return frame.Answer{}, err
	}
	if len(asked.Relay) > 0 {
		return frame.GoSaying(casePath(id), "已经征求授权。有的当事人是机构或没有监护人的儿童，须由窗口当面取得同意后转达。"), nil
	}
	return frame.GoSaying(casePath(id), "已经征求授权。本人登录后可以同意或不同意。"), nil
}

// unmask shows a party, or the values of a material, in full. It is recorded before
// it is shown, and lasts for this answer alone.
func (d *desk) unmask(v *frame.Visit) (frame.Answer, error) {
	party := v.Form("party")
	if material := v.Form("material"); material != "" {
		if _, err := d.Acts.UnmaskMaterial(v.Context(), v.Caller, v.Form("resolution"), material, party); err != nil {
			return frame.Answer{}, err
		}
		return d.caseAnswer(v, nil, map[[2]string]bool{{material, party}: true})
	}
	if _, err := d.Acts.UnmaskParty(v.Context(), v.Caller, v.Param("id"), party); err != nil {
		return frame.Answer{}, err
	}
	return d.caseAnswer(v, map[string]bool{party: true}, nil)
}
