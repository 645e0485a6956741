package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// codec writes what a session holds as JSON: texts by name, and when it ends. The
// library's own would take any Go type apart that the database holds.
type codec struct{}

type coded struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode writes a session.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	c := coded{Deadline: deadline, Values: make(map[string]string, len(values))}
	for name, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("identity: session: %s is a %T, not a text", name, value)
		}
		c.Values[name] = text
	}
	return json.Marshal(c)
}

// Decode reads a session.
func (codec) Decode(data []byte) (time.Time, map[string]any, error) {
	var c coded
	if err := json.Unmarshal(data, &c); err != nil {
		return time.Time{}, nil, errors.New("identity: session: cannot be read")
	}
	values := make(map[string]any, len(c.Values))
	for name, value := range c.Values {
		values[name] = value
	}
	return c.Deadline, values, nil
}
