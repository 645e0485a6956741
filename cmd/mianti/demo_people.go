package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"mianti/connectors/standin"
	"mianti/examples/jinan"
	"mianti/identity"
	"mianti/identity/testprovider"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

// demoPeople are the made-up people who can sign in, and the provider that says
// so, on a port of its own.
type demoPeople struct {
	listener net.Listener
	handler  http.Handler
	url      string
	now      func() time.Time
}

// demoDepartment is whose duties the made-up staff have; the second is for whoever
// has duties in two.
const (
	demoDepartment = "SPJ"
	demoSecond     = "GA"
)

// demoStaff is a made-up member of staff.
type demoStaff struct {
	subject, name string
	duties        []policies.Duty
	second        []policies.Duty // in demoSecond
}

// demoStaffs is one for each duty, one with duties in two departments and one
// with none.
func demoStaffs() []demoStaff {
	return []demoStaff{
		{subject: "clerk", name: "演示·审批员", duties: []policies.Duty{policies.DutyClerk}},
		{subject: "sharing", name: "演示·数据共享员", duties: []policies.Duty{policies.DutySharingOfficer}},
		{subject: "editor", name: "演示·目录编辑", duties: []policies.Duty{policies.DutyPolicyEditor}},
		{subject: "reviewer", name: "演示·目录审核", duties: []policies.Duty{policies.DutyPolicyReviewer}},
		{subject: "admin", name: "演示·部门管理员", duties: []policies.Duty{policies.DutyDepartmentAdmin}},
		{subject: "auditor", name: "演示·审计员", duties: []policies.Duty{policies.DutyAuditor}},
		{subject: "operator", name: "演示·运维员", duties: []policies.Duty{policies.DutyOperator}},
		{subject: "two", name: "演示·两个部门", duties: []policies.Duty{policies.DutyClerk}, second: []policies.Duty{policies.DutySharingOfficer}},
		{subject: "police", name: "演示·公安数据共享员", second: []policies.Duty{policies.DutySharingOfficer}},
		{subject: "new", name: "演示·新来的人"},
	}
}

// openDemoPeople opens the provider's port for an exchange at an address.
func openDemoPeople(listen, exchange string) (*demoPeople, error) {
	listener, err := testprovider.Listen(listen)
	if err != nil {
		return nil, err
	}
	p := &demoPeople{listener: listener, url: "http://" + listener.Addr().String(), now: time.Now}
	if err := p.wire(exchange); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return p, nil
}

func (p *demoPeople) wire(exchange string) error {
	citizens, err := demoCitizens()
	if err != nil {
		return err
	}
	var staff []testprovider.Person
	for _, s := range demoStaffs() {
		staff = append(staff, testprovider.Person{Subject: s.subject, Name: s.name, Note: s.note()})
	}
	mux := http.NewServeMux()
	for _, one := range []struct {
		kind   identity.Kind
		title  string
		people []testprovider.Person
	}{{identity.Staff, "工作人员登录", staff}, {identity.Citizen, "申请人登录", citizens}} {
		path := "/" + string(one.kind)
		provider, err := testprovider.New(testprovider.Config{
			Issuer: p.url + path, Title: one.title, People: one.people, ClientID: demoClient, Now: p.now,
			RedirectURLs: []string{exchange + "/auth/callback" + path},
		})
		if err != nil {
			return err
		}
		mux.Handle(path+"/", provider)
	}
	p.handler = mux
	return nil
}

// demoClient is the exchange at the made-up provider: a public client.
const demoClient = "mianti-demo"

func (s demoStaff) note() string {
	text := ""
	for _, in := range []struct {
		department string
		duties     []policies.Duty
	}{{demoDepartment, s.duties}, {demoSecond, s.second}} {
		for _, d := range in.duties {
			text += in.department + " " + identity.DutyName(d) + "　"
		}
	}
	if text == "" {
		return "还没有岗位"
	}
	return text
}

// demoCitizens are the named people of the stand-in population.
func demoCitizens() ([]testprovider.Person, error) {
	named, err := jinan.Files.Open("population.yaml")
	if err != nil {
		return nil, fmt.Errorf("read population: %w", err)
	}
	defer named.Close()
	population, err := standin.ReadPopulation(named)
	if err != nil {
		return nil, err
	}
	people := make([]testprovider.Person, len(population.Persons))
	for i, x := range population.Persons {
		people[i] = testprovider.Person{Subject: x.Code, Name: x.Name, Note: x.Note, Claims: map[string]any{"citizen_id": x.Number}}
	}
	return people, nil
}

// settings make an exchange ask this provider.
func (p *demoPeople) settings() signInSettings {
	return signInSettings{
		StaffIssuer: p.url + "/staff", StaffClientID: demoClient, CitizenIssuer: p.url + "/citizen", CitizenClientID: demoClient,
	}
}

// giveDuties registers the staff before they sign in.
func (p *demoPeople) giveDuties(ctx context.Context, db *store.Store) error {
	office := newOffice(db, true)
	for _, s := range demoStaffs() {
		person := &identity.Person{
			ID: newID(), Kind: identity.Staff, Issuer: p.url + "/staff", Subject: s.subject, Name: s.name, CreatedAt: p.now().UTC(),
		}
		e := ledger.Entry{Kind: ledger.PersonRegistered, At: person.CreatedAt, Person: ledger.Operator, Object: "person:" + person.ID}
		if err := db.Register(ctx, person, e); err != nil {
			return err
		}
		for department, duties := range map[string][]policies.Duty{demoDepartment: s.duties, demoSecond: s.second} {
			for _, d := range duties {
				if _, err := office.Assign(ctx, atTheMachine(department), person.ID, d); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Serve answers as the provider until ctx ends.
func (p *demoPeople) Serve(ctx context.Context) error {
	return serveHTTP(ctx, p.listener, p.handler)
}

// Close gives up the port of a provider that is not served.
func (p *demoPeople) Close() error { return p.listener.Close() }

func (p *demoPeople) printHints(w io.Writer, exchange string) {
	fmt.Fprintf(w, `
人员登录：%s/auth/　（演示用身份认证，不需要密码：每个岗位各有一名虚构的工作人员，申请人是替身人口中的人）
`, exchange)
}
