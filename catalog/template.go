package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// variableName is what may stand between ${ and }.
var variableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

var (
	errUnclosedVariable = errors.New("a ${ without its }")
	errVariableName     = errors.New("between ${ and } stands no name of lower-case letters, digits and underscores")
)

// Expand puts values in the place of the variables ${name} of a text. Any other
// dollar sign stands for itself, and $${ for the characters "${". A value is
// put in as it is: a variable in a value is not expanded. The error names a
// variable that value does not know, or says that the text is misspelt; it
// holds no value.
func Expand(text string, value func(name string) (string, bool)) (string, error) {
	var out strings.Builder
	err := walkTemplate(text, func(literal string) { out.WriteString(literal) }, func(name string) error {
		v, ok := value(name)
		if !ok {
			return fmt.Errorf("there is no variable ${%s}", name)
		}
		out.WriteString(v)
		return nil
	})
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// Variables lists the variables of a text in the order in which they first
// occur, each once.
func Variables(text string) ([]string, error) {
	var names []string
	err := walkTemplate(text, func(string) {}, func(name string) error {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// walkTemplate takes a text apart, from left to right.
func walkTemplate(text string, literal func(string), variable func(name string) error) error {
	for {
		dollar := strings.Index(text, "${")
		if dollar < 0 {
			literal(text)
			return nil
		}
		if dollar > 0 && text[dollar-1] == '$' {
			literal(text[:dollar-1] + "${")
			text = text[dollar+2:]
			continue
		}
		literal(text[:dollar])
		name, rest, closed := strings.Cut(text[dollar+2:], "}")
		if !closed {
			return errUnclosedVariable
		}
		if !variableName.MatchString(name) {
			return errVariableName
		}
		if err := variable(name); err != nil {
			return err
		}
		text = rest
	}
}
