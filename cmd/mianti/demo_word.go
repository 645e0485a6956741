package main

import (
	"context"
	"fmt"
	"net/http"

	"mianti/examples/jinan"
)

// caseForWord is the case of the demonstration in which a person has not said yet
// whether he consents.
const caseForWord = "S07-water-no-answer.yaml"

// askForWord resolves one more case, and asks its applicant for his consent: so that
// somebody who signs in as an applicant finds what to decide.
func (d *demo) askForWord(ctx context.Context) error {
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		return err
	}
	for _, file := range cases {
		if file.Name != caseForWord {
			continue
		}
		resolution, err := d.resolve(ctx, file.caseFile)
		if err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
		c, err := d.as(ctx, d.handler(file.caseFile))
		if err != nil {
			return err
		}
		return c.call(ctx, http.MethodPost, "/v1/cases/"+resolution.Case+"/consents", struct{}{}, nil)
	}
	return fmt.Errorf("there is no case %s", caseForWord)
}
