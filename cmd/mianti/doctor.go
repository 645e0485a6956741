package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"mianti/connectors/secret"
	"mianti/doctor"
)

type doctorCommand struct {
	exchangeSettings
	tlsSettings
	Listen string `env:"MIANTI_LISTEN" default:"127.0.0.1:8080" help:"Address that the exchange listens on."`
	Quick  bool   `help:"Leave out what may take long: the ledger, the catalog, and reaching the sources."`
	Strict bool   `help:"Fail on warnings too."`
	JSON   bool   `name:"json" help:"Print the findings as JSON."`
}

var (
	errUnhealthy = errors.New("有检查没有通过")
	errWarnings  = errors.New("有警告")
)

// Run checks how the exchange is set up and how it does. It changes nothing, and asks
// no department about anybody. Give it the settings of mianti serve.
func (c *doctorCommand) Run(ctx context.Context, con console, parsed *kong.Context) error {
	d := &diagnosing{doctorCommand: c, errs: con.Err, begun: time.Now()}
	d.look(ctx, settingNames(parsed.Model.Node))
	if c.JSON {
		encoder := json.NewEncoder(con.Out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(map[string]any{"worst": doctor.Worst(d.all), "findings": d.all}); err != nil {
			return err
		}
	} else {
		printDiagnosis(con.Out, d.all)
	}
	switch worst := doctor.Worst(d.all); {
	case worst == doctor.Fail:
		return errUnhealthy
	case worst == doctor.Warn && c.Strict:
		return errWarnings
	}
	return nil
}

// settingNames are the variables that some command reads.
func settingNames(n *kong.Node) []string {
	names := []string{strings.TrimSuffix(secret.Variable("x"), "X") + "*"} // those that the catalog names
	for _, flag := range n.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range n.Children {
		names = append(names, settingNames(child)...)
	}
	return names
}

// diagnosing is one run of the doctor.
type diagnosing struct {
	*doctorCommand
	errs  io.Writer
	begun time.Time
	all   []doctor.Finding
}

func (d *diagnosing) add(findings ...doctor.Finding) { d.all = append(d.all, findings...) }

// err notes a failure with what to do, and says whether there was one.
func (d *diagnosing) err(check, do string, err error) bool {
	if err != nil {
		d.add(doctor.Failed(check, do, err))
	}
	return err != nil
}

// slowly says what is being done, once that is worth a word.
func (d *diagnosing) slowly(what string) {
	if !d.JSON && time.Since(d.begun) > patience {
		fmt.Fprintf(d.errs, "正在检查%s……\n", what)
	}
}

func (d *diagnosing) look(ctx context.Context, known []string) {
	var set []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "MIANTI_") {
			set = append(set, name)
		}
	}
	d.add(doctor.Variables(set, known)...)
	d.lookSettings()
	d.lookFiles()
	d.lookDatabase(ctx)
}

func (d *diagnosing) lookSettings() {
	const do = "改正后再启动；各项设置见 docs/configuration.md"
	secured, err := d.config()
	bad := d.err("配置/TLS", do, err)
	scheme := "http://"
	if secured != nil {
		scheme = "https://"
	}
	d.Issuer = cmp.Or(d.Issuer, scheme+d.Listen)
	if err := errors.Join(d.exchangeSettings.check(), d.checkKeys()); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			bad = d.err("配置/设置", do, errors.New(line)) || bad
		}
	}
	_, err = d.rules()
	bad = d.err("配置/设置", do, err) || bad
	_, err = d.pdfFont()
	bad = d.err("配置/设置", do, err) || bad
	bad = d.err("配置/传输", do, checkTransport(d.Issuer, listenAddress(d.Listen), secured != nil)) || bad
	if !bad {
		d.add(doctor.Good("配置/设置", "没有矛盾"))
	}
	d.add(doctor.Insecure(doctor.Exposure{
		DatabaseURL: d.DatabaseURL, Debug: d.LogLevel <= slog.LevelDebug, Proxies: d.TrustedProxies, EvenTime: d.EvenTime > 0, Issuer: d.Issuer,
	})...)
	if secured != nil && len(secured.Certificates) > 0 && secured.Certificates[0].Leaf != nil {
		d.add(doctor.Certificate("密钥/TLS 证书", secured.Certificates[0].Leaf.NotAfter, time.Now()))
	}
}

// listenAddress is an address as text, that nothing listens on.
type listenAddress string

// Network names the network.
func (listenAddress) Network() string { return "tcp" }

// String gives the address.
func (a listenAddress) String() string { return string(a) }

// lookFiles looks who can read the files of secrets.
func (d *diagnosing) lookFiles() {
	keyFile := d.KeyFile
	if path, sqlite := strings.CutPrefix(d.DatabaseURL, "sqlite:"); sqlite {
		keyFile = cmp.Or(keyFile, path+".key")
		if d.KeyFile == "" {
			if _, err := os.Stat(keyFile); err == nil {
				d.add(doctor.KeyBesideDatabase(keyFile))
			}
		}
	}
	for _, one := range []struct{ check, path string }{
		{"密钥/文件", keyFile}, {"密钥/签名", d.SigningKeyFile}, {"密钥/对象", d.SubjectKeyFile}, {"密钥/通知", d.WebhookKeyFile}, {"密钥/TLS 私钥", d.TLSKeyFile},
		{"密钥/工作人员登录", d.StaffClientSecretFile}, {"密钥/申请人登录", d.CitizenClientSecretFile},
	} {
		if one.path == "" {
			continue
		}
		info, err := os.Stat(one.path)
		if errors.Is(err, fs.ErrNotExist) && one.path == keyFile && d.KeyFile == "" {
			continue // it is made when it is first needed
		}
		if d.err(one.check, "放好文件，或改正设置", err) {
			continue
		}
		d.add(doctor.KeyFile(one.check, one.path, info.Mode()))
	}
	d.lookSecretsDir()
	for _, path := range []string{d.SnapshotsDir} {
		if path != "" {
			d.lookDisk(path)
		}
	}
}

func (d *diagnosing) lookSecretsDir() {
	if d.SecretsDir == "" {
		return
	}
	entries, err := os.ReadDir(d.SecretsDir)
	if d.err("密钥/部门凭据", "改正 MIANTI_SECRETS_DIR", err) {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			if f := doctor.KeyFile("密钥/部门凭据", entry.Name(), info.Mode()); f.Level != doctor.OK {
				d.add(f)
			}
		}
	}
}

func printDiagnosis(w io.Writer, all []doctor.Finding) {
	marks := map[doctor.Level]string{doctor.OK: "✓", doctor.Skipped: "–", doctor.Warn: "!", doctor.Fail: "✗"}
	counts := map[doctor.Level]int{}
	for _, f := range all {
		counts[f.Level]++
		fmt.Fprintf(w, "%s %s　%s\n", marks[f.Level], printable(f.Check), strings.ReplaceAll(printable(f.Found), "\n", "；"))
		if f.Do != "" {
			fmt.Fprintf(w, "    → %s\n", printable(f.Do))
		}
	}
	fmt.Fprintf(w, "\n%d 项正常，%d 项警告，%d 项没有通过，%d 项没有检查。\n", counts[doctor.OK], counts[doctor.Warn], counts[doctor.Fail], counts[doctor.Skipped])
}
