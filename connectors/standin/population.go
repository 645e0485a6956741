package standin

import (
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// populationFormat is the first line of a population file.
const populationFormat = "mianti-population/1"

// Population is whom and what the stand-in departments hold records of. Parts
// refer to each other by code. None of it is real: citizens' numbers are of
// area 370199, which was never assigned.
type Population struct {
	Format        string         `yaml:"format"`
	Persons       []Person       `yaml:"persons"`
	Organizations []Organization `yaml:"organizations"`
	Properties    []Property     `yaml:"properties"`
	Vehicles      []Holding      `yaml:"vehicles"`
	Projects      []Holding      `yaml:"projects"`
	Addresses     []Address      `yaml:"addresses"`
}

// Person (自然人) has a citizen's number.
type Person struct {
	Code     string   `yaml:"code"`
	Name     string   `yaml:"name"`
	Number   string   `yaml:"number"`
	Spouse   string   `yaml:"spouse"`
	Children []string `yaml:"children"`
	Note     string   `yaml:"note"`
}

// Organization (组织) has a unified social credit code, or none when it is
// registered abroad; then nobody holds a record of it.
type Organization struct {
	Code                string   `yaml:"code"`
	Name                string   `yaml:"name"`
	Number              string   `yaml:"number"`
	LegalRepresentative string   `yaml:"legal_representative"`
	Shareholders        []string `yaml:"shareholders"`
	Note                string   `yaml:"note"`
}

// Property (不动产单元) is a house, a shop or a piece of land, named by where it
// lies.
type Property struct {
	Code   string `yaml:"code"`
	Name   string `yaml:"name"`
	Number string `yaml:"number"`
	Holder string `yaml:"holder"`
	Usage  string `yaml:"usage"`
	Note   string `yaml:"note"`
}

// Holding is a vehicle (机动车) or a project (项目) with its holder.
type Holding struct {
	Code   string `yaml:"code"`
	Name   string `yaml:"name"`
	Number string `yaml:"number"`
	Holder string `yaml:"holder"`
	Note   string `yaml:"note"`
}

// Address (标准地址) is a place that nobody needs to hold.
type Address struct {
	Code   string `yaml:"code"`
	Name   string `yaml:"name"`
	Number string `yaml:"number"`
	Note   string `yaml:"note"`
}

// ReadPopulation reads a population file. An unknown key is an error; whether
// the parts fit together is seen by New.
func ReadPopulation(r io.Reader) (*Population, error) {
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	var p Population
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("read population: %w", err)
	}
	if p.Format != populationFormat {
		return nil, fmt.Errorf("read population: the format is not %s", populationFormat)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read population: more than one document")
	}
	return &p, nil
}
