package main

import (
	"context"
	"fmt"
	"net/http"

	"mianti/examples/jinan"
)

// further is one more case of the demonstration, and what is done with it, so that
// somebody who looks at the pages finds something to do and something that is done.
type further struct {
	file string
	path string // below the case
	body map[string]string
}

func furtherCases() []further {
	return []further{
		{file: "S07-water-no-answer.yaml", path: "/consents", body: map[string]string{}}, // its applicant has not said whether he consents
		{file: "S05-admitted.yaml", path: "/closing", body: map[string]string{"reason": "finished"}},
	}
}

// resolveMore resolves the further cases.
func (d *demo) resolveMore(ctx context.Context) error {
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		return err
	}
	byName := map[string]*caseFile{}
	for _, file := range cases {
		byName[file.Name] = file.caseFile
	}
	for _, one := range furtherCases() {
		file := byName[one.file]
		if file == nil {
			return fmt.Errorf("there is no case %s", one.file)
		}
		resolution, err := d.resolve(ctx, file)
		if err != nil {
			return fmt.Errorf("%s: %w", one.file, err)
		}
		c, err := d.as(ctx, d.handler(file))
		if err != nil {
			return err
		}
		if err := c.call(ctx, http.MethodPost, "/v1/cases/"+resolution.Case+one.path, one.body, nil); err != nil {
			return fmt.Errorf("%s: %w", one.file, err)
		}
	}
	return nil
}
