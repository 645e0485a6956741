package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mianti/citizen"
)

// accessCommands are what a person does with the list of who looked at his data.
type accessCommands struct {
	Verify accessVerifyCommand `cmd:"" help:"Check with an export of one's own records that its list is complete: it asks nobody."`
}

type accessVerifyCommand struct {
	Export  string `arg:"" type:"existingfile" help:"File of GET /v1/me/export."`
	Entries string `required:"" type:"existingdir" help:"Folder of the log's entry bundles (C2SP tlog-tiles: tile/entries), as they were fetched."`
}

// Run says what was left out of the list, or that nothing was.
func (c *accessVerifyCommand) Run(_ context.Context, con console) error {
	text, err := os.ReadFile(c.Export)
	if err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	var export citizen.OwnExport
	if err := json.Unmarshal(text, &export); err != nil || export.Check == nil {
		return fmt.Errorf("%s 不是 GET /v1/me/export 的文件", filepath.Base(c.Export))
	}
	leaves, err := readBundles(c.Entries)
	if err != nil {
		return err
	}
	checked, err := citizen.Check(&export, leaves)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "清单中已封存并在日志中找到 %d 条；导出时尚未封存 %d 条；导出之后又有 %d 条\n", checked.Sealed, checked.Unsealed, checked.Later)
	for _, fault := range checked.Faults {
		fmt.Fprintln(con.Out, "有误：", fault)
	}
	if len(checked.Faults) > 0 {
		return fmt.Errorf("清单有 %d 处与日志不符", len(checked.Faults))
	}
	fmt.Fprintln(con.Out, "清单完整。日志本身是否可信，用检查点与日志的校验工具另行核对。")
	return nil
}

// readBundles reads the leaves of all bundles below a folder.
func readBundles(folder string) (func(yield func(citizen.Leaf) bool), error) {
	var leaves []citizen.Leaf
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		bundle, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		some, err := splitBundle(bundle)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		leaves = append(leaves, some...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the log's entries: %w", err)
	}
	return func(yield func(citizen.Leaf) bool) {
		for _, leaf := range leaves {
			if !yield(leaf) {
				return
			}
		}
	}, nil
}

// splitBundle reads a bundle: each leaf after its length as 16 bits.
func splitBundle(bundle []byte) ([]citizen.Leaf, error) {
	var leaves []citizen.Leaf
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, errors.New("it ends within a leaf: fetch it again")
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		var leaf citizen.Leaf
		if err := json.Unmarshal(bundle[2:end], &leaf); err != nil {
			return nil, errors.New("it is not a bundle of entries")
		}
		leaves, bundle = append(leaves, leaf), bundle[end:]
	}
	return leaves, nil
}
