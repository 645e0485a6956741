package interchange

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mianti/catalog"
)

// The vocabularies of the EU that DCAT-AP asks for.
const (
	authority = "http://publications.europa.eu/resource/authority/"
	chinese   = authority + "language/ZHO"
)

// node is a node of JSON-LD.
type node map[string]any

// ExportDCAT writes the datasets as DCAT-AP (2.1.1 and 3.0) in JSON-LD. The base is
// the address of the exchange, under which its datasets are named; what stands
// there is for those who may ask. Nothing is said of where a department keeps its
// records: no address, no path, no secret of a source, no view and no column.
func ExportDCAT(to io.Writer, rev *catalog.Revision, base string) error {
	base = strings.TrimRight(base, "/")
	graph := []node{dcatCatalog(rev, base), dcatService(rev, base)}
	for _, d := range rev.Departments() {
		graph = append(graph, node{"@id": agent(base, d.Code), "@type": "foaf:Agent", "foaf:name": zh(d.Name), "dct:identifier": d.CreditCode})
	}
	for _, d := range rev.Datasets() {
		graph = append(graph, dcatDataset(d, base), dcatDistribution(d, base))
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(node{"@context": dcatContext(), "@graph": graph}); err != nil {
		return fmt.Errorf("write DCAT: %w", err)
	}
	return nil
}

func dcatContext() node {
	return node{
		"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
		"dcatap": "http://data.europa.eu/r5r/", "xsd": "http://www.w3.org/2001/XMLSchema#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
	}
}

func zh(text string) node { return node{"@value": text, "@language": "zh"} }

func iri(at string) node { return node{"@id": at} }

func agent(base, code string) string    { return base + "/v1/departments/" + code }
func resource(base, code string) string { return base + "/v1/datasets/" + code }

// dcatCatalog is the catalog itself; the exchange's operator is not in it, so that
// its publisher is whoever the title is of.
func dcatCatalog(rev *catalog.Revision, base string) node {
	datasets := []node{}
	for _, d := range rev.Datasets() {
		datasets = append(datasets, iri(resource(base, d.Code)))
	}
	return node{
		"@id": base + "/v1/datasets", "@type": "dcat:Catalog",
		"dct:title": zh(rev.Title), "dct:description": zh("部门之间共享的数据资源，供核验申请材料使用；" + rev.Version),
		"dct:publisher": node{"@id": base + "/#operator", "@type": "foaf:Agent", "foaf:name": zh(rev.Title)},
		"dct:language":  iri(chinese), "dcat:version": rev.Version,
		"dcat:service": iri(base + "/#exchange"), "dcat:dataset": datasets,
	}
}

// dcatService is the exchange, the only door to any of the datasets.
func dcatService(rev *catalog.Revision, base string) node {
	served := []node{}
	for _, d := range rev.Datasets() {
		served = append(served, iri(resource(base, d.Code)))
	}
	return node{
		"@id": base + "/#exchange", "@type": "dcat:DataService",
		"dct:title": zh("免提交数据共享交换"), "dct:description": zh("凭已登记的办件和共享授权逐件核验；数源的地址不公开"),
		"dcat:endpointURL": iri(base + "/v1"), "dcat:endpointDescription": iri(base + "/openapi.json"),
		"dct:accessRights": iri(access("RESTRICTED")), "dcat:servesDataset": served,
	}
}

func access(code string) string { return authority + "access-right/" + code }

// rights are who may have a dataset. Shared without conditions is among departments,
// not with everybody: nothing here is PUBLIC.
func rights(d *catalog.Dataset) string {
	if d.Sharing == catalog.SharingWithheld {
		return access("NON_PUBLIC")
	}
	return access("RESTRICTED")
}

// frequency is how often a dataset is renewed, in the vocabulary of the EU.
func frequency(update string) string {
	code := map[string]string{"realtime": "CONT", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "yearly": "ANNUAL", "on_demand": "IRREG"}[update]
	if code == "" {
		code = "UNKNOWN"
	}
	return authority + "frequency/" + code
}

func dcatDataset(d *catalog.Dataset, base string) node {
	keywords := []node{}
	for _, f := range d.Fields {
		keywords = append(keywords, zh(f.Name))
	}
	out := node{
		"@id": resource(base, d.Code), "@type": "dcat:Dataset", "dct:title": zh(d.Name), "dct:description": zh(describe(d)),
		"dct:identifier": d.ResourceCode, "dct:publisher": iri(agent(base, d.Department)), "dct:language": iri(chinese),
		"dct:accrualPeriodicity": iri(frequency(d.Update)), "dct:accessRights": iri(rights(d)), "dcat:theme": iri(authority + "data-theme/GOVE"),
		"dcat:keyword": keywords, "dcat:distribution": iri(resource(base, d.Code) + "#api"),
	}
	if n := d.National; n != nil && n.Published != "" {
		out["dct:issued"] = node{"@value": n.Published, "@type": "xsd:date"}
	}
	return out
}

// describe gives the summary of a dataset, or what its fields are.
func describe(d *catalog.Dataset) string {
	if d.National != nil && d.National.Summary != "" {
		return d.National.Summary
	}
	names := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		names[i] = f.Name
	}
	return d.Name + "，信息项：" + strings.Join(names, "、")
}

// dcatDistribution says that a dataset is had by asking the exchange, and on what
// terms.
func dcatDistribution(d *catalog.Dataset, base string) node {
	out := node{
		"@id": resource(base, d.Code) + "#api", "@type": "dcat:Distribution", "dct:title": zh(d.Name + "（按办件核验）"),
		"dcat:accessURL": iri(resource(base, d.Code)), "dcat:accessService": iri(base + "/#exchange"),
	}
	if terms := termsOf(d); terms != "" {
		out["dct:rights"] = node{"@type": "dct:RightsStatement", "rdfs:label": zh(terms)}
	}
	return out
}

func termsOf(d *catalog.Dataset) string {
	var parts []string
	for _, t := range []struct{ name, text string }{{"使用条件", d.Terms}, {"共享范围", d.Scope}, {"使用用途", d.Purpose}, {"不予共享依据", d.Clause}} {
		if t.text != "" {
			parts = append(parts, t.name+"："+t.text)
		}
	}
	return strings.Join(parts, "；")
}
