package ledger

// The kinds of what a person reads of his own. Person is who read; he is also
// whom the entry concerns, so that he finds his reading in the list that he read.
const (
	AccessListRead  Kind = "access_list_read"  // who looked at his data
	AccessKeyRead   Kind = "access_key_read"   // the key of his links
	OwnCasesRead    Kind = "own_cases_read"    // his cases, and what was filled in for him
	OwnDataExported Kind = "own_data_exported" // all of it
)
