package catalog

// Source (数源接口) is an endpoint that answers for a dataset: where it is, how
// it is spoken to, and how carefully. It holds no secret; see SecretRef.
type Source struct {
	Code string `json:"code"` // unique in the catalog, such as "GA.D-GA01.query"
	// Kind names the connector that speaks to it. The mode elicense asks sources
	// of kind elicense, the mode data asks the others.
	Kind SourceKind `json:"kind"`
	// Path is appended to the address as it is; xroad may do without, and
	// sqlview, snapshot and assist have none.
	Path string `json:"path,omitempty"`
	// Address is the base URL, or for sqlview "postgres://host:5432/database" or
	// "mysql://host:3306/database". Empty means the department's configured base
	// URL.
	Address string `json:"address,omitempty"`
	// Network says where the address may lead to; it is checked here, and again
	// when it is connected to.
	Network Network `json:"network,omitempty"`
	// TimeoutMillis bounds one call; 0 means the exchange's default.
	TimeoutMillis int `json:"timeout_millis,omitempty"`
	// FreshHours is how old an answer may be before it is stale (数据时效); 0
	// means any age. An answer that does not say how old it is counts as fresh,
	// but for a snapshot, which always says so.
	FreshHours int `json:"fresh_hours,omitempty"`
	// Days is how many working days an officer has for an answer (assist); 0
	// means the exchange's default.
	Days   int     `json:"days,omitempty"`
	Auth   *Auth   `json:"auth,omitempty"`
	Limits *Limits `json:"limits,omitempty"`
	Probe  *Probe  `json:"probe,omitempty"`
	// Maintenance are the times at which it is not asked (维护时段).
	Maintenance []Window `json:"maintenance,omitempty"`

	// What a kind has of its own. HTTP may be left out where the source speaks
	// Mianti's own plain JSON.
	HTTP     *HTTPCall `json:"http,omitempty"`     // httpjson, xroad
	XRoad    *XRoad    `json:"xroad,omitempty"`    // xroad
	View     *View     `json:"view,omitempty"`     // sqlview
	Snapshot *Snapshot `json:"snapshot,omitempty"` // snapshot
}

// SourceKind is a kind of interface.
type SourceKind string

// The kinds; a sub-folder of connectors speaks each.
const (
	SourceHTTPJSON SourceKind = "httpjson" // JSON over HTTP, as described by HTTPCall
	SourceElicense SourceKind = "elicense" // 电子证照 (GB/T 36906)
	SourceSQLView  SourceKind = "sqlview"  // a read-only view in a database (库表交换)
	SourceSnapshot SourceKind = "snapshot" // files that are sent now and then (文件下载)
	SourceXRoad    SourceKind = "xroad"    // X-Road REST message protocol 1
	SourceAssist   SourceKind = "assist"   // a person at the department (协查)
)

// Network is the range of addresses that a source may be reached at; see
// CheckNetwork. Link-local addresses, those of "this network" (0.0.0.0/8) and
// multicast are never reached.
type Network string

// The networks.
const (
	NetworkPublic  Network = ""        // public addresses only
	NetworkPrivate Network = "private" // private ranges too (政务外网)
	NetworkLocal   Network = "local"   // this machine only, such as a gateway beside the exchange
)

// SecretRef (密钥引用) is the name of a secret: lower-case letters, digits and
// hyphens. It begins with the code of the department in lower case and a
// hyphen, such as "ga-app-key", so that no source can use another department's
// secret; or with "shared-". What it stands for is the operator's: a file in
// the folder of secrets, or an environment variable.
type SecretRef string

// Auth (认证方式) is how the exchange proves itself to a source. Of the methods
// at most one is set; TLS may be set besides.
type Auth struct {
	Header *HeaderAuth `json:"header,omitempty"`
	HMAC   *HMACAuth   `json:"hmac,omitempty"`
	OAuth2 *OAuth2Auth `json:"oauth2,omitempty"`
	SM2    *SM2Auth    `json:"sm2,omitempty"`
	// Login is for databases.
	Login *LoginAuth `json:"login,omitempty"`
	TLS   *TLSAuth   `json:"tls,omitempty"`
}

// HeaderAuth sends a secret in a header as it is.
type HeaderAuth struct {
	Name   string    `json:"name"`             // such as "X-App-Key"
	Prefix string    `json:"prefix,omitempty"` // such as "Bearer "
	Secret SecretRef `json:"secret"`
}

// HMACAuth signs each request: the signature is over the text of Sign, in which
// ${method}, ${path}, ${query}, ${timestamp}, ${nonce}, ${key} and
// ${body_digest} (hex of the body's digest by Algorithm) stand for themselves.
type HMACAuth struct {
	Key       string    `json:"key"` // the public name of the key (AppKey)
	Secret    SecretRef `json:"secret"`
	Algorithm string    `json:"algorithm"`          // sha256 or sm3
	Sign      string    `json:"sign"`               // such as "${method}\n${path}\n${timestamp}\n${nonce}\n${body_digest}"
	Encoding  string    `json:"encoding,omitempty"` // hex (default) or base64
	// The names of the headers; the defaults are X-App-Key, X-Timestamp, X-Nonce
	// and X-Signature. The timestamp is in milliseconds since 1970.
	KeyHeader       string `json:"key_header,omitempty"`
	TimestampHeader string `json:"timestamp_header,omitempty"`
	NonceHeader     string `json:"nonce_header,omitempty"`
	SignatureHeader string `json:"signature_header,omitempty"`
}

// OAuth2Auth gets tokens by client credentials (RFC 6749 §4.4).
type OAuth2Auth struct {
	TokenURL string    `json:"token_url"` // absolute, or a path at the address
	ClientID string    `json:"client_id"`
	Secret   SecretRef `json:"secret"`
	Scopes   []string  `json:"scopes,omitempty"`
}

// SM2Auth signs each request with SM2 over SM3 (GB/T 32918, GB/T 32905): the
// text of Sign as in HMACAuth, the signature ASN.1 DER in base64. The secret is
// the private key, PKCS#8 in PEM.
type SM2Auth struct {
	Key    string    `json:"key"`
	Secret SecretRef `json:"secret"`
	Sign   string    `json:"sign"`
	// UserID is the signer's identifier (GB/T 32918.2 §5.5), "1234567812345678"
	// by default.
	UserID          string `json:"user_id,omitempty"`
	KeyHeader       string `json:"key_header,omitempty"`
	TimestampHeader string `json:"timestamp_header,omitempty"`
	NonceHeader     string `json:"nonce_header,omitempty"`
	SignatureHeader string `json:"signature_header,omitempty"`
}

// LoginAuth is a user of a database.
type LoginAuth struct {
	User   string    `json:"user"`
	Secret SecretRef `json:"secret"`
}

// TLSAuth is the exchange's own certificate, and whom it believes.
type TLSAuth struct {
	Certificate SecretRef `json:"certificate,omitempty"` // PEM chain; with Key
	Key         SecretRef `json:"key,omitempty"`         // PEM
	CA          SecretRef `json:"ca,omitempty"`          // PEM; instead of the system's
	ServerName  string    `json:"server_name,omitempty"`
}

// Limits (调用限制) are what the guard keeps to at one source. Zero means the
// exchange's default.
type Limits struct {
	PerSecond  float64 `json:"per_second,omitempty"` // calls; 0 means no limit
	Burst      int     `json:"burst,omitempty"`      // calls at once above PerSecond
	Concurrent int     `json:"concurrent,omitempty"` // calls under way; default 16
	// Attempts is how often one question may be put in all; default 2. 1 means
	// never again, for a source that counts or bills each call.
	Attempts int `json:"attempts,omitempty"`
	// HedgeMillis asks a second time when there is no answer after it, and takes
	// the first answer; 0 means never.
	HedgeMillis int `json:"hedge_millis,omitempty"`
	// Failures in a row after which it is left alone; default 5.
	Failures int `json:"failures,omitempty"`
	// PauseSeconds is how long it is left alone, and how often it is then
	// probed; default 5.
	PauseSeconds int `json:"pause_seconds,omitempty"`
}

// Probe (健康探测) is a test subject that the department has given for trying
// the interface with. No real person.
type Probe struct {
	Kind   PartyKind `json:"kind"`
	Name   string    `json:"name"`
	Number string    `json:"number"`
}

// Window is a time at which a source is under maintenance, in China's time.
type Window struct {
	// Days are 1 (Monday) to 7; empty means every day.
	Days []int  `json:"days,omitempty"`
	From string `json:"from"` // "22:00"
	To   string `json:"to"`   // "02:00"; before From means the next day
}

// HTTPCall (接口描述) describes a JSON interface. Texts may hold variables:
// ${id}, ${name}, ${number}, ${kind}, ${purpose}, ${fields} (the Chinese names),
// ${field_codes}, ${timestamp} (milliseconds), ${date} (2006-01-02), ${time}
// (RFC 3339) and ${page}. A text of Body that is nothing but ${fields} or
// ${field_codes} stands for the list. A value is put in as a value: it cannot
// add to the structure of what is sent.
type HTTPCall struct {
	Method  string            `json:"method,omitempty"`  // GET or POST; default POST
	Query   map[string]string `json:"query,omitempty"`   // see IdentityInQuery
	Headers map[string]string `json:"headers,omitempty"` // must not hold ${name} or ${number}
	// IdentityInQuery allows ${name} and ${number} in Query, for a department that
	// offers nothing else: every proxy on the way then writes them into its log.
	IdentityInQuery bool `json:"identity_in_query,omitempty"`
	Body            any  `json:"body,omitempty"` // JSON, or pairs when Form
	Form            bool `json:"form,omitempty"` // send Body as application/x-www-form-urlencoded
	// Kinds are what the source calls the kinds of party, for ${kind}.
	Kinds map[PartyKind]string `json:"kinds,omitempty"`
	// Charset is that of the answer: utf-8 (default) or gb18030.
	Charset string     `json:"charset,omitempty"`
	Answer  HTTPAnswer `json:"answer"`
	Paging  *Paging    `json:"paging,omitempty"`
}

// HTTPAnswer says where things are in an answer. Places are JSON Pointers (RFC
// 6901), in the whole answer or in one record.
type HTTPAnswer struct {
	// NotFoundStatus are the HTTP statuses that mean "no record"; none by
	// default, since a proxy sends 404 too. Where Code is described, the answer
	// has to say so by its code as well.
	NotFoundStatus []int `json:"not_found_status,omitempty"`
	// Code is the source's own status, if it has one, and what its values mean.
	// A value that is not listed is a fault.
	Code     string   `json:"code,omitempty"` // pointer in the answer
	OK       []string `json:"ok,omitempty"`
	NotFound []string `json:"not_found,omitempty"`
	Refused  []string `json:"refused,omitempty"` // our credential or our right
	Busy     []string `json:"busy,omitempty"`    // ask again later
	// Records is where the records are: a list, or one object, or null for none.
	// A pointer; "" is the whole answer.
	Records   string `json:"records"`
	Reference string `json:"reference,omitempty"` // the source's number of the answer

	// In one record.
	SubjectName   string `json:"subject_name,omitempty"`
	SubjectNumber string `json:"subject_number"`
	AsOf          string `json:"as_of,omitempty"` // RFC 3339, or "2006-01-02 15:04:05" in China's time
	// Revoked is a value that says whether the record is in force.
	Revoked   string   `json:"revoked,omitempty"`
	RevokedIn []string `json:"revoked_in,omitempty"` // values that mean "no longer"; default "true"
	// Fields are where the dataset's fields are, by code. A field that is not
	// named is at "<Record>/<Chinese name>".
	Record string             `json:"record,omitempty"` // pointer in one record; "" is the record itself
	Fields map[string]string  `json:"fields,omitempty"`
	Values map[string]ValueOf `json:"values,omitempty"` // by field code
}

// ValueOf says how a source writes a field's values, where it is not as the
// dataset says.
type ValueOf struct {
	// Date is the layout of a date, with YYYY, MM and DD.
	Date string `json:"date,omitempty"`
	// Codes are what coded values stand for: "1" for 男.
	Codes map[string]string `json:"codes,omitempty"`
	// Split is what separates the items of a list that is one text.
	Split string `json:"split,omitempty"`
}

// Paging says how the rest of a long answer is asked for: ${page} counts from
// First, until a page holds no record or Pages is reached.
type Paging struct {
	First int `json:"first"`
	Size  int `json:"size"`  // records on a full page; a page with fewer is the last
	Pages int `json:"pages"` // at most; more is a fault
}

// XRoad names a service of X-Road, and the client that this exchange is
// registered as.
type XRoad struct {
	// Client is INSTANCE/CLASS/MEMBER/SUBSYSTEM, Service is
	// INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE.
	Client  string `json:"client"`
	Service string `json:"service"`
	UserID  string `json:"user_id,omitempty"` // X-Road-UserId; a fixed one of the exchange
}

// View is a read-only view in a database.
type View struct {
	Name string `json:"name"` // schema.view
	// Columns by field code; a field that is not named is at the column of its
	// code.
	Columns       map[string]string `json:"columns,omitempty"`
	SubjectName   string            `json:"subject_name"`
	SubjectNumber string            `json:"subject_number"`
	AsOf          string            `json:"as_of,omitempty"`
	Revoked       string            `json:"revoked,omitempty"`     // a boolean column
	Connections   int               `json:"connections,omitempty"` // default 4
}

// Snapshot is a file of records that the department sends now and then.
type Snapshot struct {
	// Columns by field code; a field that is not named is at the column of its
	// Chinese name.
	Columns       map[string]string `json:"columns,omitempty"`
	SubjectKind   PartyKind         `json:"subject_kind"`
	SubjectName   string            `json:"subject_name"`
	SubjectNumber string            `json:"subject_number"`
	Revoked       string            `json:"revoked,omitempty"`
	RevokedIn     []string          `json:"revoked_in,omitempty"`
	Sheet         string            `json:"sheet,omitempty"`    // of an XLSX file; default the first
	Charset       string            `json:"charset,omitempty"`  // of a CSV file: utf-8 (default) or gb18030
	MaxRows       int               `json:"max_rows,omitempty"` // default 1 000 000
}
