package catalog

// What each kind of file holds, with where it stands. Lists hold values, so
// that an empty entry in a file is an empty thing and never nil.

type catalogFile struct {
	Title   string `json:"title"`
	Version string `json:"version"`
	at      spot
}

type factsFile struct {
	Facts []Fact `json:"facts"`
	at    spot
}

type rolesFile struct {
	Roles []Role `json:"roles"`
	at    spot
}

type standardMaterialsFile struct {
	StandardMaterials []StandardMaterial `json:"standard_materials"`
	at                spot
}

type lintFile struct {
	LintSettings
	at spot
}

type departmentFile struct {
	Department Department `json:"department"`
	Datasets   []Dataset  `json:"datasets"`
	at         spot
}

type oneThingFile struct {
	OneThing OneThing `json:"one_thing"`
	Matters  []Matter `json:"matters"`
	at       spot
}

type commonMaterialsFile struct {
	Materials []Material `json:"materials"`
	at        spot
}
