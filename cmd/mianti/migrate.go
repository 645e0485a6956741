package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"mianti/store"
)

type migrateCommand struct {
	databaseSetting
}

// Run brings the database to the schema of this version.
func (c *migrateCommand) Run(ctx context.Context, con console) error {
	if err := store.Migrate(ctx, c.DatabaseURL); err != nil {
		return err
	}
	fmt.Fprintln(con.Out, "数据库结构已是本版本所需。")
	return nil
}

type versionCommand struct{}

// Run prints the version that the build recorded.
func (versionCommand) Run(con console) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version + " " + info.GoVersion
	}
	_, err := fmt.Fprintln(con.Out, "mianti", version)
	return err
}
