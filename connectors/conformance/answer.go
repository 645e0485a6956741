package conformance

import (
	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/standin"
)

// overHTTP is a case that ends in a fault and needs HTTP.
func overHTTP(name string, play standin.Fault, fault connectors.FaultKind) one {
	return one{name: name, http: true, rules: rule(play), fault: fault}
}

// statusCases are about what a source says of itself.
func statusCases() []one {
	limited := overHTTP("too many requests", standin.FaultLimited, connectors.FaultBusy)
	limited.retry = true
	return []one{
		{name: "down", rules: rule(standin.FaultDown), fault: connectors.FaultDown},
		overHTTP("server error", standin.FaultBroken, connectors.FaultDown),
		{name: "busy", rules: rule(standin.FaultBusy), fault: connectors.FaultBusy},
		limited,
		{name: "denied", rules: rule(standin.FaultDenied), fault: connectors.FaultRefused},
		overHTTP("not known", standin.FaultUnknown, connectors.FaultRefused),
		overHTTP("bad request", standin.FaultBadRequest, connectors.FaultMalformed),
		// A proxy says 404 too: it is no statement about the subject.
		overHTTP("wrong status", standin.FaultMissing, connectors.FaultMalformed),
		overHTTP("no content", standin.FaultNoContent, connectors.FaultMalformed),
		overHTTP("redirect", standin.FaultRedirect, connectors.FaultMalformed),
		overHTTP("redirect to another host", standin.FaultRedirectAway, connectors.FaultMalformed),
		overHTTP("wrong content type", standin.FaultHTML, connectors.FaultMalformed),
		overHTTP("plain text", standin.FaultPlainText, connectors.FaultMalformed),
		overHTTP("huge headers", standin.FaultHugeHeaders, connectors.FaultDown),
		overHTTP("not HTTP", standin.FaultNotHTTP, connectors.FaultDown),
	}
}

// textCases are about answers that cannot be read, or only by a reader that is
// not strict.
func textCases() []one {
	return []one{
		{name: "malformed", rules: rule(standin.FaultMalformed), fault: connectors.FaultMalformed},
		{name: "truncated", rules: rule(standin.FaultTruncated), fault: connectors.FaultDown},
		overHTTP("complete but short", standin.FaultShort, connectors.FaultMalformed),
		{name: "empty", rules: rule(standin.FaultEmpty), fault: connectors.FaultMalformed},
		overHTTP("null", standin.FaultNull, connectors.FaultMalformed),
		overHTTP("list instead of object", standin.FaultArray, connectors.FaultMalformed),
		{name: "huge", rules: rule(standin.FaultHuge), fault: connectors.FaultMalformed},
		overHTTP("compressed though not asked", standin.FaultGzipBomb, connectors.FaultMalformed),
		overHTTP("nested deep", standin.FaultDeep, connectors.FaultMalformed),
		overHTTP("name twice", standin.FaultDuplicate, connectors.FaultMalformed),
		overHTTP("more after the end", standin.FaultTrailing, connectors.FaultMalformed),
		// RFC 8259 §8.1 forbids the mark to the sender and lets the receiver choose.
		// It is refused: a sender that adds it is not the one that was agreed.
		overHTTP("byte order mark", standin.FaultBOM, connectors.FaultMalformed),
		{name: "bad UTF-8", rules: rule(standin.FaultBadUTF8), fault: connectors.FaultMalformed},
		{name: "undeclared GB18030", rules: rule(standin.FaultUndeclared), fault: connectors.FaultMalformed},
		{name: "NUL in a text", rules: rule(standin.FaultNUL), fault: connectors.FaultMalformed},
		{name: "lost character", rules: rule(standin.FaultDamaged), fault: connectors.FaultMalformed},
	}
}

// networkCases are about what is between the department and the exchange.
func networkCases() []one {
	hang := one{name: "hangs", rules: rule(standin.FaultHang), timeout: brief, fault: connectors.FaultTimeout}
	drip := one{name: "drips", rules: rule(standin.FaultDrip), timeout: brief, fault: connectors.FaultTimeout}
	return []one{
		{name: "reset", rules: rule(standin.FaultReset), fault: connectors.FaultDown},
		{name: "cut", rules: rule(standin.FaultCut), fault: connectors.FaultDown},
		hang, drip,
	}
}

// xroadCases are about what stands between two members of X-Road.
func xroadCases() []one {
	only := func(name string, play standin.Fault, fault connectors.FaultKind) one {
		c := overHTTP(name, play, fault)
		c.only = catalog.SourceXRoad
		return c
	}
	return []one{
		only("X-Road refuses the client", standin.FaultXRoadClient, connectors.FaultRefused),
		only("X-Road cannot reach the server", standin.FaultXRoadServer, connectors.FaultDown),
		only("X-Road answers another question", standin.FaultXRoadOtherID, connectors.FaultMalformed),
		only("X-Road binds nothing", standin.FaultXRoadNoHash, connectors.FaultMalformed),
	}
}
