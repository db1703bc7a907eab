package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed page
var files embed.FS

// docRoutes serve the description of the API. It is the same for every installation, so it is public; nothing in it is
// loaded from elsewhere and no page has a script.
func (s *Server) docRoutes() {
	s.router.Get("/api/openapi.json", static("application/json", sync.OnceValues(s.OpenAPI)))
	s.router.Get("/api/docs", static("text/html; charset=utf-8", sync.OnceValues(s.docs)))
	s.router.Get("/", static("text/html; charset=utf-8", func() ([]byte, error) { return files.ReadFile("page/index.html") }))
	s.router.Get("/style.css", static("text/css; charset=utf-8", func() ([]byte, error) { return files.ReadFile("page/style.css") }))
}

func static(contentType string, content func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := content()
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", contentType)
		w.Write(b)
	}
}

// OpenAPI is the API's description, OpenAPI 3.1, indented. The copy in openapi.json is kept equal by a test.
func (s *Server) OpenAPI() ([]byte, error) {
	b, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

type docGroup struct {
	Name, About string
	Operations  []docOperation
}

type docOperation struct {
	Method, Path, Summary string
	Parameters, Body      []docField
	Answers               []string
}

// docType is an object that bodies and answers consist of.
type docType struct {
	Name   string
	Fields []docField
}

type docField struct {
	Name, Where, Type, About string
	Link                     string // name of the docType that Type is made of
	Required                 bool
}

// docs draws the OpenAPI document for people.
func (s *Server) docs() ([]byte, error) {
	t, err := template.ParseFS(files, "page/docs.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Groups []docGroup
		Types  []docType
	}{s.docGroups(), s.docTypes()})
	return out.Bytes(), err
}

func (s *Server) docTypes() []docType {
	var all []docType
	for name, schema := range s.api.OpenAPI().Components.Schemas.Map() {
		all = append(all, docType{name, s.docFields(schema, "")})
	}
	slices.SortFunc(all, func(a, b docType) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (s *Server) docGroups() []docGroup {
	api := s.api.OpenAPI()
	var groups []docGroup
	for _, tag := range api.Tags {
		g := docGroup{Name: tag.Name, About: tag.Description}
		for path, item := range api.Paths {
			for _, o := range operations(item) {
				if slices.Contains(o.Tags, tag.Name) {
					g.Operations = append(g.Operations, s.docOperation(path, o))
				}
			}
		}
		slices.SortFunc(g.Operations, func(a, b docOperation) int {
			if c := strings.Compare(a.Path, b.Path); c != 0 {
				return c
			}
			return slices.Index(methods, a.Method) - slices.Index(methods, b.Method)
		})
		groups = append(groups, g)
	}
	return groups
}

func operations(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete}
	return slices.DeleteFunc(all, func(o *huma.Operation) bool { return o == nil })
}

func (s *Server) docOperation(path string, o *huma.Operation) docOperation {
	d := docOperation{Method: o.Method, Path: path, Summary: o.Summary}
	for _, p := range o.Parameters {
		if p.In != "header" {
			d.Parameters = append(d.Parameters, docField{p.Name, p.In, typeOf(p.Schema), about(p.Description, p.Schema), "", p.Required})
		}
	}
	if o.RequestBody != nil {
		if body := o.RequestBody.Content["application/json"]; body != nil {
			d.Body = s.docFields(body.Schema, "body")
		}
	}
	for status, r := range o.Responses {
		d.Answers = append(d.Answers, strings.TrimSpace(status+" "+r.Description))
	}
	slices.Sort(d.Answers)
	return d
}

func (s *Server) docFields(schema *huma.Schema, where string) []docField {
	if schema.Ref != "" {
		schema = s.api.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var all []docField
	for name, p := range schema.Properties {
		text := about(p.Description, p)
		switch {
		case p.ReadOnly:
			text = strings.TrimSpace(text + " Read only: it is not looked at in a request.")
		case p.WriteOnly:
			text = strings.TrimSpace(text + " Never in an answer.")
		}
		all = append(all, docField{name, where, typeOf(p), text, typeName(p), slices.Contains(schema.Required, name) && !p.ReadOnly})
	}
	slices.SortFunc(all, func(a, b docField) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func typeOf(p *huma.Schema) string {
	switch {
	case p == nil:
		return ""
	case p.Ref != "":
		return typeName(p)
	case p.Type == huma.TypeArray:
		return "list of " + typeOf(p.Items)
	case p.Type == huma.TypeObject:
		if each, ok := p.AdditionalProperties.(*huma.Schema); ok {
			return "map of " + typeOf(each)
		}
	case p.Format != "" && p.Type == huma.TypeString:
		return p.Format
	}
	return p.Type
}

// typeName is the object that p, or each item of it, is; "" if it is none.
func typeName(p *huma.Schema) string {
	for p != nil && p.Type == huma.TypeArray {
		p = p.Items
	}
	if p == nil {
		return ""
	}
	return p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]
}

// about is a field's description with its bounds.
func about(text string, p *huma.Schema) string {
	if p == nil {
		return text
	}
	var bounds []string
	if p.Items != nil && len(p.Items.Enum) > 0 {
		bounds = append(bounds, "each one of "+strings.Trim(fmt.Sprintf("%q", p.Items.Enum), "[]"))
	}
	if p.Minimum != nil && p.Maximum != nil {
		bounds = append(bounds, fmt.Sprintf("%v to %v", *p.Minimum, *p.Maximum))
	}
	if p.MinLength != nil {
		bounds = append(bounds, fmt.Sprintf("at least %d characters", *p.MinLength))
	}
	if p.MaxLength != nil {
		bounds = append(bounds, fmt.Sprintf("at most %d characters", *p.MaxLength))
	}
	if p.PatternDescription != "" {
		bounds = append(bounds, p.PatternDescription)
	}
	if len(p.Enum) > 0 {
		bounds = append(bounds, "one of "+strings.Trim(fmt.Sprintf("%q", p.Enum), "[]"))
	}
	if p.Default != nil {
		bounds = append(bounds, fmt.Sprintf("default %v", p.Default))
	}
	if len(bounds) == 0 {
		return text
	}
	return strings.TrimSpace(text + " (" + strings.Join(bounds, ", ") + ")")
}
