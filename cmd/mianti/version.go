package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"mianti/store"
)

// The name of a release and the source that it was built from, which its build puts
// here; see tools/release.sh. Other builds are known by what the tool chain noted.
var version, commit string

type versionCommand struct{}

// Run prints the version, the source that it was built from, and the schema that it
// works with.
func (versionCommand) Run(con console) error {
	b := thisBuild()
	_, err := fmt.Fprintf(con.Out, "mianti %s\n源代码 %s\n%s %s\n数据库结构 第 %d 版，以及声明兼容它的更新版本\n",
		b.Version, b.Commit, b.Go, b.Platform, store.SchemaVersion())
	return err
}

// build says what a program was built from.
type build struct{ Version, Commit, Go, Platform string }

// thisBuild reads what was noted when this program was built.
func thisBuild() build {
	b := build{Version: version, Commit: "未记录"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	noted := map[string]string{}
	for _, s := range info.Settings {
		noted[s.Key] = s.Value
	}
	b.Platform = strings.TrimSuffix(noted["GOOS"]+"/"+noted["GOARCH"], "/")
	if commit != "" {
		b.Commit = commit
		return b
	}
	if noted["vcs.revision"] != "" {
		b.Commit = noted["vcs.revision"]
		if noted["vcs.modified"] == "true" {
			b.Commit += "（有未提交的改动）"
		}
	}
	return b
}
