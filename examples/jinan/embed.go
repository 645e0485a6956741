// Package jinan is the catalog that ships with Mianti, as data: the
// departments, datasets, one-things and matters of one city, the cases that
// are tried on it, and the population that the stand-in departments hold.
//
// The codes and the organisations are made up; docs/divergences.md says where
// the catalog differs from its source.
package jinan

import "embed"

// Files holds every YAML file of the folder. catalog.Load reads the catalog's
// own files from it and leaves the cases and the population alone.
//
//go:embed *.yaml */*.yaml
var Files embed.FS
