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

type docField struct {
	Name, Where, Type, About string
	Required                 bool
}

// docs draws the OpenAPI document for people.
func (s *Server) docs() ([]byte, error) {
	t, err := template.ParseFS(files, "page/docs.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, s.docGroups())
	return out.Bytes(), err
}

func (s *Server) docGroups() []docGroup {
	api := s.api.OpenAPI()
	var groups []docGroup
	for _, tag := range api.Tags {
		g := docGroup{Name: tag.Name, About: tag.Description}
		for path, item := range api.Paths {
			for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
				if o != nil && slices.Contains(o.Tags, tag.Name) {
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

func (s *Server) docOperation(path string, o *huma.Operation) docOperation {
	d := docOperation{Method: o.Method, Path: path, Summary: o.Summary}
	for _, p := range o.Parameters {
		if p.In != "header" {
			d.Parameters = append(d.Parameters, docField{p.Name, p.In, typeOf(p.Schema), about(p.Description, p.Schema), p.Required})
		}
	}
	if o.RequestBody != nil {
		d.Body = s.docFields(o.RequestBody.Content["application/json"])
	}
	for status, r := range o.Responses {
		d.Answers = append(d.Answers, strings.TrimSpace(status+" "+r.Description))
	}
	slices.Sort(d.Answers)
	return d
}

func (s *Server) docFields(m *huma.MediaType) []docField {
	if m == nil {
		return nil
	}
	schema := m.Schema
	if schema.Ref != "" {
		schema = s.api.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var all []docField
	for name, p := range schema.Properties {
		all = append(all, docField{name, "body", typeOf(p), about(p.Description, p), slices.Contains(schema.Required, name)})
	}
	slices.SortFunc(all, func(a, b docField) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func typeOf(p *huma.Schema) string {
	switch {
	case p == nil:
		return ""
	case p.Type == huma.TypeArray:
		return "list of " + typeOf(p.Items)
	case p.Format != "" && p.Type == huma.TypeString:
		return p.Format
	}
	return p.Type
}

// about is a field's description with its bounds.
func about(text string, p *huma.Schema) string {
	if p == nil {
		return text
	}
	var bounds []string
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
