package main

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"mianti/connectors/standin"
	"mianti/examples/jinan"
)

// identities are texts that tell who somebody is, in every form in which they could
// lie around: as they are, in the other case, in hex, in base64 at any place of a
// longer text, and as a digest without a key, which can be guessed from.
type identities struct {
	// byStart finds the forms that begin with the same bytes.
	byStart map[string][]identityForm
}

type identityForm struct {
	text, what string
}

// startLength is the length of the shortest form: a name of two characters.
const startLength = 6

// identitiesOf gives the forms of the persons and bodies of the population.
func identitiesOf(t *testing.T) *identities {
	t.Helper()
	file, err := jinan.Files.Open("population.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	population, err := standin.ReadPopulation(file)
	if err != nil {
		t.Fatal(err)
	}
	found := &identities{byStart: map[string][]identityForm{}}
	for _, p := range population.Persons {
		found.add("person", p.Name, p.Number)
	}
	for _, o := range population.Organizations {
		found.add("organization", o.Name, o.Number)
	}
	return found
}

func (i *identities) add(kind, name, number string) {
	if number == "" {
		i.addText(name, name)
		return
	}
	for _, text := range []string{name, number, strings.ToUpper(number), strings.ToLower(number)} {
		i.addText(text, text)
	}
	for _, joined := range []string{kind + "|" + number, kind + "|" + number + "|" + name, number + "|" + name, name + "|" + number, name + number, number + name} {
		i.addDigests(joined, number)
	}
}

func (i *identities) addText(text, of string) {
	i.addForm(text, of+" as it is")
	i.addForm(hex.EncodeToString([]byte(text)), of+" in hex")
	i.addForm(strings.ToUpper(hex.EncodeToString([]byte(text))), of+" in hex")
	i.addForm(strings.Trim(fmt.Sprintf("%+q", text), `"`), of+" escaped")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 { // bytes before it in the same group of three
			all := encoding.EncodeToString(append(make([]byte, before), text...))
			certain := all[(before*8+5)/6 : (before+len(text))*8/6]
			if len(certain) > startLength {
				i.addForm(certain, of+" in base64")
			}
		}
	}
	i.addDigests(text, of)
}

func (i *identities) addDigests(text, of string) {
	one, two, five, three := sha256.Sum256([]byte(text)), sha1.Sum([]byte(text)), md5.Sum([]byte(text)), sm3.Sum([]byte(text))
	for name, sum := range map[string][]byte{"sha256": one[:], "sha1": two[:], "md5": five[:], "sm3": three[:]} {
		i.addForm(string(sum), of+" as "+name)
		i.addForm(hex.EncodeToString(sum), of+" as "+name+" in hex")
		i.addForm(strings.ToUpper(hex.EncodeToString(sum)), of+" as "+name+" in hex")
		i.addForm(base64.RawStdEncoding.EncodeToString(sum), of+" as "+name+" in base64")
		i.addForm(base64.RawURLEncoding.EncodeToString(sum), of+" as "+name+" in base64")
	}
}

func (i *identities) addForm(text, what string) {
	start := text[:startLength]
	form := identityForm{text, what}
	if !slices.Contains(i.byStart[start], form) {
		i.byStart[start] = append(i.byStart[start], form)
	}
}

// in says which forms a text holds.
func (i *identities) in(text string) []string {
	var found []string
	for at := 0; at+startLength <= len(text); at++ {
		for _, form := range i.byStart[text[at:at+startLength]] {
			if strings.HasPrefix(text[at:], form.text) && !slices.Contains(found, form.what) {
				found = append(found, form.what)
			}
		}
	}
	return found
}

// The search finds what is planted, in each form and wherever it stands.
func TestPrivacy_TheSearchFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	all := identitiesOf(t)
	const number, name = "37019919910914262X", "阿依努尔·买买提"
	digest := sha256.Sum256([]byte("person|" + number))
	chinese := sm3.Sum([]byte(name))
	for what, planted := range map[string]string{
		"number": `{"a":"` + number + `"}`, "lower case": strings.ToLower(number), "name": "x" + name + "y",
		"hex": hex.EncodeToString([]byte(name)), "escaped": `"\u738b\u5efa\u56fd"`,
		"base64":         base64.StdEncoding.EncodeToString([]byte(name)),
		"base64 after 1": base64.StdEncoding.EncodeToString([]byte("1" + number + "z")),
		"base64 after 2": base64.URLEncoding.EncodeToString([]byte("12" + name + "zz")),
		"digest":         hex.EncodeToString(digest[:]), "raw digest": "…" + string(digest[:]), "SM3": hex.EncodeToString(chinese[:]),
		"SM3 in base64": base64.StdEncoding.EncodeToString(chinese[:]),
	} {
		if len(all.in("before "+planted+" after")) == 0 {
			t.Errorf("%s: not found", what)
		}
	}
	if found := all.in(strings.Repeat("nothing of anybody, 370199200001010000, 王五 ", 100)); len(found) > 0 {
		t.Errorf("found %v where nothing is", found)
	}
}
