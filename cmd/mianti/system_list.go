package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"mianti/exchange"
	"mianti/store"
)

type systemListCommand struct {
	databaseSetting
	JSON bool `help:"Print JSON, for programs."`
}

// endsSoon is how long before its end a credential is warned of.
const endsSoon = 30 * 24 * time.Hour

// Run shows the systems with their credentials, and warns of those that end
// soon.
func (c *systemListCommand) Run(ctx context.Context, con console) error {
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Systems(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	if c.JSON {
		return printSystemsJSON(con.Out, list, now)
	}
	if len(list) == 0 {
		fmt.Fprintln(con.Out, "还没有接入系统。用 mianti system add 登记。")
		return nil
	}
	printSystems(con.Out, list, now)
	return nil
}

// listedSystem is a system as programs read it.
type listedSystem struct {
	ID          string             `json:"id"`
	Department  string             `json:"department"`
	Name        string             `json:"name"`
	Requires    string             `json:"requires,omitempty"`
	Revoked     bool               `json:"revoked"`
	Credentials []listedCredential `json:"credentials"`
}

type listedCredential struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	KeyID    string     `json:"key_id,omitempty"`
	State    string     `json:"state"`
	NotAfter *time.Time `json:"not_after,omitempty"`
	EndsSoon bool       `json:"ends_soon"`
}

func printSystemsJSON(w io.Writer, list []exchange.System, now time.Time) error {
	out := make([]listedSystem, 0, len(list))
	for _, s := range list {
		listed := listedSystem{
			ID: s.ID, Department: s.Department, Name: s.Name, Requires: string(s.Requires), Revoked: s.Disabled,
			Credentials: []listedCredential{},
		}
		for _, c := range s.Credentials {
			one := listedCredential{ID: c.ID, Kind: string(c.Kind), KeyID: c.KeyID, State: string(c.StateAt(now)), EndsSoon: soon(c, now)}
			if !c.NotAfter.IsZero() {
				one.NotAfter = &c.NotAfter
			}
			listed.Credentials = append(listed.Credentials, one)
		}
		out = append(out, listed)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

func printSystems(w io.Writer, list []exchange.System, now time.Time) {
	var rows [][]string
	warnings := 0
	for _, s := range list {
		rows = append(rows, []string{s.ID, s.Department, s.Name, systemState(s), "", "", ""})
		for _, c := range s.Credentials {
			end := "—"
			if !c.NotAfter.IsZero() {
				end = shownMoment(c.NotAfter)
			}
			if soon(c, now) {
				end, warnings = end+" ⚠", warnings+1
			}
			rows = append(rows, []string{"", "", "", "", c.ID, credentialName(c), stateName(c.StateAt(now)) + "　" + end})
		}
	}
	fmt.Fprintln(w, table.New().Border(lipgloss.NormalBorder()).BorderColumn(false).BorderTop(false).BorderBottom(false).
		BorderLeft(false).BorderRight(false).Rows(rows...).Headers("系统", "部门", "名称", "状态", "凭据", "种类", "终止").
		StyleFunc(func(int, int) lipgloss.Style { return lipgloss.NewStyle().PaddingRight(2) }))
	if warnings > 0 {
		fmt.Fprintf(w, "⚠ %d 个凭据将在 30 天内终止；请确认系统已换用新的凭据（mianti system rotate）。\n", warnings)
	}
}

// soon reports whether a credential that is good now ends by itself soon.
func soon(c exchange.Credential, now time.Time) bool {
	return c.GoodAt(now) && !c.NotAfter.IsZero() && c.NotAfter.Sub(now) <= endsSoon
}

func systemState(s exchange.System) string {
	switch {
	case s.Disabled:
		return "停用"
	case s.Requires != exchange.BindingNone:
		return "启用，须 " + string(s.Requires)
	default:
		return "启用"
	}
}

func credentialName(c exchange.Credential) string {
	if c.Kind == exchange.CredentialSecret {
		return "密钥"
	}
	return "公钥 " + c.KeyID
}

func stateName(s exchange.CredentialState) string {
	switch s {
	case exchange.CredentialActive:
		return "有效"
	case exchange.CredentialPending:
		return "尚未生效"
	case exchange.CredentialRevoked:
		return "停用"
	default:
		return "已终止"
	}
}
