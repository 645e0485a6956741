package catalog

import (
	"bytes"
	_ "embed" // for the schema
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	locale "golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed schema.json
var schemaText []byte

// Schema gives the JSON Schema of the catalog's files, for editors.
func Schema() []byte { return bytes.Clone(schemaText) }

// format is what every file starts with.
const format = "mianti-catalog/1"

// schemas are the compiled schemas of the kinds of file, and of a material
// that was made complete from a common one.
type schemas struct {
	files    map[fileKind]*jsonschema.Schema
	material *jsonschema.Schema
}

func compileSchemas() (*schemas, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	const url = "urn:mianti:catalog:1"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(url, document); err != nil {
		return nil, fmt.Errorf("add the schema: %w", err)
	}
	s := &schemas{files: map[fileKind]*jsonschema.Schema{}}
	for of, name := range map[fileKind]string{
		kindCatalog: "catalogFile", kindFacts: "factsFile", kindRoles: "rolesFile",
		kindStandardMaterials: "standardMaterialsFile", kindCommonMaterials: "commonMaterialsFile",
		kindDepartment: "departmentFile", kindOneThing: "oneThingFile", kindLint: "lintFile",
	} {
		if s.files[of], err = compiler.Compile(url + "#/$defs/" + name); err != nil {
			return nil, fmt.Errorf("compile the schema of %s: %w", of, err)
		}
	}
	if s.material, err = compiler.Compile(url + "#/$defs/material"); err != nil {
		return nil, fmt.Errorf("compile the schema of a material: %w", err)
	}
	return s, nil
}

// check holds a file's tree against the schema of its kind. Wrong format or
// kind is reported alone: the rest would be noise.
func (s *schemas) check(f *file) Faults {
	root, ok := f.tree.root.(map[string]any)
	if !ok {
		return Faults{f.fault("", "wrong-format", "文件应以 format: "+format+" 开头")}
	}
	if root["format"] != format {
		return Faults{f.fault("/format", "wrong-format", "文件应以 format: "+format+" 开头")}
	}
	if root["kind"] != string(f.kind) {
		return Faults{f.fault("/kind", "wrong-kind", "这个文件应写 kind: "+string(f.kind))}
	}
	return shapeFaults(f, "", s.files[f.kind].Validate(f.tree.root))
}

// shapeFaults makes a fault of every leaf of a validation error. The root is
// the pointer to what was validated.
func shapeFaults(f *file, root string, err error) Faults {
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return nil
	}
	var faults Faults
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) == 0 {
			faults = append(faults, leafFaults(f, root+pointer(e.InstanceLocation), e)...)
		}
	}
	walk(invalid)
	return faults
}

func pointer(parts []string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(escape(part))
	}
	return b.String()
}

func leafFaults(f *file, at string, e *jsonschema.ValidationError) Faults {
	var faults Faults
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			faults = append(faults, f.fault(at+"/"+escape(key), "unknown-key", "没有这个键："+key))
		}
		return faults
	case *kind.Required:
		for _, key := range k.Missing {
			faults = append(faults, f.fault(at, "missing-key", "缺少键："+key))
		}
		return faults
	case *kind.FalseSchema:
		return Faults{f.fault(at, "unknown-key", "此处不能写这个键："+lastPart(at))}
	default:
		return Faults{f.fault(at, valueCode(at, e.ErrorKind), lastPart(at)+"："+valueReason(e.ErrorKind))}
	}
}

// valueCode gives values that people look up by name a code of their own.
func valueCode(at string, of jsonschema.ErrorKind) string {
	_, isEnum := of.(*kind.Enum)
	switch {
	case isEnum && strings.HasSuffix(at, "/mode"):
		return "unknown-mode"
	case strings.HasSuffix(at, "/basic_code"):
		return "basic-code"
	default:
		return "wrong-value"
	}
}

func valueReason(of jsonschema.ErrorKind) string {
	switch k := of.(type) {
	case *kind.Type:
		return "应为 " + strings.Join(k.Want, " 或 ") + "，现为 " + k.Got
	case *kind.Enum:
		return fmt.Sprintf("应为以下之一：%v", k.Want)
	case *kind.Pattern:
		return "写法不符，应合 " + k.Want
	case *kind.MinLength:
		return "不能为空"
	case *kind.MaxLength:
		return "最多 " + strconv.Itoa(k.Want) + " 个字"
	case *kind.MaxItems:
		return "最多 " + strconv.Itoa(k.Want) + " 项"
	case *kind.MinProperties:
		return "至少要写 " + strconv.Itoa(k.Want) + " 个键，或整个删去"
	case *kind.MinItems:
		return "至少要有 " + strconv.Itoa(k.Want) + " 项"
	case *kind.UniqueItems:
		return "有重复的项"
	case *kind.Minimum, *kind.Maximum:
		return "超出范围"
	default:
		return of.LocalizedString(message.NewPrinter(locale.English))
	}
}

func lastPart(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }
