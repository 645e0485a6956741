package standin

import "slices"

// Fault is a way in which a department answers badly.
type Fault string

// The faults of a record: what the department holds is not what it should be.
const (
	FaultNotFound    Fault = "not_found"    // no record
	FaultExpired     Fault = "expired"      // a record that is over
	FaultRevoked     Fault = "revoked"      // a record that was taken back
	FaultSuspended   Fault = "suspended"    // a record that is not in force for a while
	FaultInactive    Fault = "inactive"     // a record that is not in force yet
	FaultMismatch    Fault = "mismatch"     // the number is right, the name is another
	FaultMultiple    Fault = "multiple"     // two records
	FaultWrongPerson Fault = "wrong_person" // somebody else's record
	FaultTwoSubjects Fault = "two_subjects" // the right record, and one of somebody else
	FaultNoSubject   Fault = "no_subject"   // a record that does not say whose it is
	FaultLetterCase  Fault = "letter_case"  // the subject's number in small letters
	FaultNumbers     Fault = "numbers"      // numbers where texts belong
	FaultStale       Fault = "stale"        // a record as it was a month ago
	FaultFuture      Fault = "future"       // a record as it will be in ten years
	FaultExtraFields Fault = "extra_fields" // more fields than were asked for
)

// The faults of an interface.
const (
	FaultSlow         Fault = "slow"          // the answer comes after Delay, 30 s if none is given
	FaultDown         Fault = "down"          // 503 from a data interface, a cut connection from the licence platform
	FaultBroken       Fault = "broken"        // 500
	FaultBusy         Fault = "busy"          // an error code in an answer with status 200
	FaultLimited      Fault = "limited"       // 429 with Retry-After
	FaultUnknown      Fault = "unknown"       // 401
	FaultDenied       Fault = "denied"        // 403
	FaultBadRequest   Fault = "bad_request"   // 400
	FaultMissing      Fault = "missing"       // 404
	FaultNoContent    Fault = "no_content"    // 204
	FaultRedirect     Fault = "redirect"      // a redirect to an answer that would be good
	FaultRedirectAway Fault = "redirect_away" // the same under another name of the host
	FaultHTML         Fault = "html"          // a page with status 200
	FaultPlainText    Fault = "plain_text"    // the right answer as text/plain
	FaultNotHTTP      Fault = "not_http"      // another protocol
	FaultSlowHeaders  Fault = "slow_headers"  // a header that never ends, byte by byte
	FaultHugeHeaders  Fault = "huge_headers"  // a header of 256 KiB
	FaultSkewed       Fault = "skewed"        // a clock that is an hour ahead, in the header Date
)

// The faults of an answer's text.
const (
	FaultMalformed  Fault = "malformed"      // not JSON
	FaultTruncated  Fault = "truncated"      // the connection ends within the answer
	FaultShort      Fault = "short"          // half an answer that is said to be whole
	FaultEmpty      Fault = "empty"          // nothing
	FaultNull       Fault = "null"           // null
	FaultArray      Fault = "array"          // a list instead of an object
	FaultHuge       Fault = "huge"           // several MiB
	FaultGzipBomb   Fault = "gzip_bomb"      // a few KiB that unpack to 64 MiB
	FaultDeep       Fault = "deep"           // lists in lists in lists
	FaultDuplicate  Fault = "duplicate_keys" // two numbers of one subject
	FaultTrailing   Fault = "trailing"       // a second value after the first
	FaultBOM        Fault = "bom"            // a byte order mark before it
	FaultBadUTF8    Fault = "bad_utf8"       // a byte that is no character
	FaultNUL        Fault = "nul"            // a NUL in a text
	FaultDamaged    Fault = "damaged"        // a mark of a lost character
	FaultUndeclared Fault = "gb18030"        // in GB18030, which nobody said
)

// The faults of X-Road.
const (
	FaultXRoadClient  Fault = "xroad_client"   // our own security server refuses
	FaultXRoadServer  Fault = "xroad_server"   // the other security server is out of order
	FaultXRoadOtherID Fault = "xroad_other_id" // the answer to another question
	FaultXRoadNoHash  Fault = "xroad_no_hash"  // nothing binds the answer to the question
)

// The faults of a network; they need a Proxy.
const (
	FaultReset Fault = "reset" // the connection is reset instead of an answer
	FaultDrip  Fault = "drip"  // the answer comes byte by byte
	FaultCut   Fault = "cut"   // the connection ends after 160 bytes
	FaultHang  Fault = "hang"  // the answer never comes
)

// Faults lists all.
func Faults() []Fault {
	return slices.Concat(recordFaults(), interfaceFaults(), textFaults(), networkFaults(),
		[]Fault{FaultXRoadClient, FaultXRoadServer, FaultXRoadOtherID, FaultXRoadNoHash})
}

func recordFaults() []Fault {
	return []Fault{
		FaultNotFound, FaultExpired, FaultRevoked, FaultSuspended, FaultInactive, FaultMismatch, FaultMultiple, FaultWrongPerson, FaultTwoSubjects,
		FaultNoSubject, FaultLetterCase, FaultNumbers, FaultStale, FaultFuture, FaultExtraFields,
	}
}

func interfaceFaults() []Fault {
	return []Fault{
		FaultSlow, FaultDown, FaultBroken, FaultBusy, FaultLimited, FaultUnknown, FaultDenied, FaultBadRequest, FaultMissing,
		FaultNoContent, FaultRedirect, FaultRedirectAway, FaultHTML, FaultPlainText, FaultNotHTTP, FaultSlowHeaders,
		FaultHugeHeaders, FaultSkewed,
	}
}

func textFaults() []Fault {
	return []Fault{
		FaultMalformed, FaultTruncated, FaultShort, FaultEmpty, FaultNull, FaultArray, FaultHuge, FaultGzipBomb, FaultDeep,
		FaultDuplicate, FaultTrailing, FaultBOM, FaultBadUTF8, FaultNUL, FaultDamaged, FaultUndeclared,
	}
}

func networkFaults() []Fault { return []Fault{FaultReset, FaultDrip, FaultCut, FaultHang} }

func (f Fault) known() bool { return f == "" || slices.Contains(Faults(), f) }

// OfNetwork says that a Proxy plays the fault.
func (f Fault) OfNetwork() bool { return slices.Contains(networkFaults(), f) }
