package catalog

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// YAML writes the value of an edit as a catalog's file has it; nothing for one that
// removes the thing.
func (e Edit) YAML() ([]byte, error) {
	if e.Value == nil {
		return nil, nil
	}
	node, err := writtenOf(e)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", e.Code, err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("write %s: %w", e.Code, err)
	}
	return out.Bytes(), nil
}
