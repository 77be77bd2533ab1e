// Renders a chart as Helm does (helm/helm, pkg/engine/engine.go and funcs.go): with text/template, the functions of
// sprig, and those of Helm's own functions that the chart uses. It validates values by gojsonschema, like Helm 3
// (pkg/chartutil/jsonschema.go). Debian has these libraries, and no Helm.
//
// Standard input is a JSON list of releases: {"name", "namespace", "values", "numbers"}. "values" is YAML.
// "numbers" is "float64" for numbers as Helm 3 reads them from a file with values (pkg/cli/values/options.go), or
// "text" for json.Number, as the loader of Helm 4 reads them (pkg/chart/v2/loader/load.go). Standard output is a JSON
// list of {"files"} by their names, or {"error"}.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"
)

type release struct{ Name, Namespace, Values, Numbers string }

type result struct {
	Files map[string]string `json:"files,omitempty"`
	Error string            `json:"error,omitempty"`
}

type chart struct {
	metadata  map[string]any
	values    []byte
	schema    *gojsonschema.Schema
	templates map[string]string
	files     files
}

type files map[string][]byte

// Get is `.Files.Get`.
func (f files) Get(name string) string { return string(f[name]) }

func main() {
	var releases []release
	if err := json.NewDecoder(os.Stdin).Decode(&releases); err != nil {
		panic(err)
	}
	c := load(os.Args[1])
	results := []result{}
	for _, each := range releases {
		rendered, err := c.render(each)
		if err != nil {
			results = append(results, result{Error: err.Error()})
		} else {
			results = append(results, result{Files: rendered})
		}
	}
	json.NewEncoder(os.Stdout).Encode(results)
}

func load(folder string) chart {
	c := chart{templates: map[string]string{}, files: files{}}
	err := filepath.Walk(folder, func(file string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		name, _ := filepath.Rel(folder, file)
		switch {
		case name == "Chart.yaml":
			c.metadata, err = readYAML(text, "float64")
		case name == "values.yaml":
			c.values = text
		case name == "values.schema.json":
			c.schema, err = gojsonschema.NewSchema(gojsonschema.NewBytesLoader(text))
		case strings.HasPrefix(name, "templates/"):
			c.templates[name] = string(text)
		default:
			c.files[name] = text
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return c
}

func readYAML(text []byte, numbers string) (map[string]any, error) {
	read := map[string]any{}
	var options []yaml.JSONOpt
	if numbers == "text" {
		options = append(options, func(d *json.Decoder) *json.Decoder { d.UseNumber(); return d })
	}
	err := yaml.Unmarshal(text, &read, options...)
	return read, err
}

func (c chart) render(r release) (map[string]string, error) {
	values, err := readYAML(c.values, r.Numbers)
	if err != nil {
		return nil, err
	}
	own, err := readYAML([]byte(r.Values), r.Numbers)
	if err != nil {
		return nil, err
	}
	merge(values, own)
	if err := c.validate(values); err != nil {
		return nil, err
	}
	// Templates read .Chart.Name, and Chart.yaml has name.
	metadata := map[string]any{}
	for key, value := range c.metadata {
		metadata[strings.ToUpper(key[:1])+key[1:]] = value
	}
	name := fmt.Sprint(c.metadata["name"])
	root := template.New("").Option("missingkey=zero")
	root.Funcs(functions(root))
	for file, text := range c.templates {
		if _, err := root.New(path.Join(name, file)).Parse(text); err != nil {
			return nil, err
		}
	}
	rendered := map[string]string{}
	for file := range c.templates {
		if strings.HasPrefix(path.Base(file), "_") {
			continue
		}
		full := path.Join(name, file)
		var out strings.Builder
		err := root.ExecuteTemplate(&out, full, map[string]any{
			"Values":       values,
			"Chart":        metadata,
			"Files":        c.files,
			"Release":      map[string]any{"Name": r.Name, "Namespace": r.Namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1},
			"Capabilities": map[string]any{"KubeVersion": map[string]any{"Version": "v1.30.0", "Major": "1", "Minor": "30"}},
			"Template":     map[string]any{"Name": full, "BasePath": path.Join(name, "templates")},
		})
		if err != nil {
			return nil, shortened(err)
		}
		rendered[file] = strings.ReplaceAll(out.String(), "<no value>", "")
	}
	return rendered, nil
}

// merge writes values over defaults. An object is merged, and null removes a default.
func merge(into, from map[string]any) {
	for key, value := range from {
		inner, isMap := value.(map[string]any)
		present, wasMap := into[key].(map[string]any)
		switch {
		case value == nil:
			delete(into, key)
		case isMap && wasMap:
			merge(present, inner)
		default:
			into[key] = value
		}
	}
}

func (c chart) validate(values map[string]any) error {
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	outcome, err := c.schema.Validate(gojsonschema.NewBytesLoader(text))
	if err != nil {
		return err
	}
	if outcome.Valid() {
		return nil
	}
	lines := []string{"values don't meet the specifications of the schema(s) in the following chart(s):"}
	for _, each := range outcome.Errors() {
		lines = append(lines, "- "+each.String())
	}
	return errors.New(strings.Join(lines, "\n"))
}

func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data any) (string, error) {
		var out strings.Builder
		err := root.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	all["toYaml"] = func(value any) string {
		text, _ := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n")
	}
	all["fromYaml"] = func(text string) (map[string]any, error) { return readYAML([]byte(text), "float64") }
	all["fromJsonArray"] = func(text string) ([]any, error) {
		var list []any
		err := json.Unmarshal([]byte(text), &list)
		return list, err
	}
	all["fail"] = func(message string) (string, error) { return "", errors.New(mark + message + mark) }
	return all
}

const mark = "\x00"

var marked = regexp.MustCompile("(?s)" + mark + "(.*)" + mark)

// shortened leaves the message of `fail`, as Helm does.
func shortened(err error) error {
	if found := marked.FindStringSubmatch(err.Error()); found != nil {
		return errors.New("execution error: " + found[1])
	}
	return err
}
