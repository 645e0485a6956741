package backup

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"mianti/internal/fault"
	"mianti/store"
)

// WriteDestroyed writes a list of what was destroyed, one JSON object a line.
func WriteDestroyed(w io.Writer, list []store.Destroyed) error {
	encoder := json.NewEncoder(w)
	for _, d := range list {
		if err := encoder.Encode(d); err != nil {
			return fmt.Errorf("write the list of what was destroyed: %w", err)
		}
	}
	return nil
}

// WriteDestroyedFile writes such a list into a file that its owner alone can read.
func WriteDestroyedFile(path string, list []store.Destroyed) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the list of what was destroyed: %w", err)
	}
	buffer := bufio.NewWriter(file)
	return errors.Join(WriteDestroyed(buffer, list), buffer.Flush(), file.Close())
}

// ReadDestroyed reads such a list.
func ReadDestroyed(path string) ([]store.Destroyed, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the list of what was destroyed: %w", err)
	}
	defer file.Close()
	var out []store.Destroyed
	decoder := json.NewDecoder(bufio.NewReader(file))
	for {
		var d store.Destroyed
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil || (d.Case == "") == (d.Batch == "") {
			return nil, fault.New(fault.Invalid, "destroyed-list", "%s 第 %d 条不是销毁记录。清单由 mianti retention destroyed 或 mianti backup 写出。", path, len(out)+1)
		}
		out = append(out, d)
	}
}
