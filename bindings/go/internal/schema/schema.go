// Package schema writes Go types for the JSON Schemas of the library: its options and its statistics.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"slices"
	"strings"
)

// node has the parts of a schema that this package reads.
type node struct {
	Description          string           `json:"description"`
	Type                 any              `json:"type"`
	Enum                 []any            `json:"enum"`
	Default              any              `json:"default"`
	Minimum              *json.Number     `json:"minimum"`
	Maximum              *json.Number     `json:"maximum"`
	Properties           map[string]*node `json:"properties"`
	Items                *node            `json:"items"`
	AdditionalProperties json.RawMessage  `json:"additionalProperties"`
}

// writer collects declarations. A type that was written once is not written again.
type writer struct {
	text    bytes.Buffer
	written map[string]bool
}

const head = `//go:build linux && cgo

// Code generated from the library's JSON Schema by internal/schema; DO NOT EDIT.
// To write it anew: bindings/go/test.sh --update

package lambdaexecutor
`

// Config is the file with the type Config, from the schema of the options.
func Config(schema []byte) ([]byte, error) {
	options, err := parse(schema)
	if err != nil {
		return nil, err
	}
	w := &writer{written: map[string]bool{}}
	w.text.WriteString(head)
	w.object("Config", `is the options of an executor, for New. A field that is zero or nil is an option that is not given, which has its default. Ptr
makes the pointers: Config{RunningEvents: Ptr(false)}.`, options, configField)
	return format.Source(w.text.Bytes())
}

// Stats is the file with the type Stats, from the schema of the statistics.
func Stats(schema []byte) ([]byte, error) {
	statistics, err := parse(schema)
	if err != nil {
		return nil, err
	}
	w := &writer{written: map[string]bool{}}
	w.text.WriteString(head + "\nimport \"encoding/json\"\n")
	w.object("Stats", `is counters, gauges, latencies and health. Counters start at 0 with the executor and only increase. Times are milliseconds.`,
		statistics, statsField)
	return format.Source(w.text.Bytes())
}

func parse(schema []byte) (*node, error) {
	decoder := json.NewDecoder(bytes.NewReader(schema))
	decoder.UseNumber()
	root := &node{}
	if err := decoder.Decode(root); err != nil {
		return nil, err
	}
	if len(root.Properties) == 0 {
		return nil, fmt.Errorf("the schema has no properties")
	}
	return root, nil
}

// object writes a struct, and after it the structs that its fields need.
func (w *writer) object(name, about string, object *node, field func(w *writer, name string, property *node) (string, error)) {
	if w.written[name] {
		return
	}
	w.written[name] = true
	var after writer
	after.written = w.written
	w.comment("", name+" "+about)
	fmt.Fprintf(&w.text, "type %s struct {\n", name)
	if name == "Stats" {
		w.comment("\t", "Raw is the JSON object that all fields are read from, with members of a newer library too.")
		w.text.WriteString("\tRaw json.RawMessage `json:\"-\"`\n")
	}
	for _, member := range slices.Sorted(maps.Keys(object.Properties)) {
		property := object.Properties[member]
		kind, err := field(&after, member, property)
		if err != nil {
			fmt.Fprintf(&w.text, "\t%s: %v\n", member, err) // does not format
		}
		if kind == "" {
			continue
		}
		w.comment("\t", describe(property))
		omit := ""
		if name == "Config" || name == "RouteConfig" {
			omit = ",omitempty"
		}
		fmt.Fprintf(&w.text, "\t%s %s `json:\"%s%s\"`\n", goName(member), kind, member, omit)
	}
	w.text.WriteString("}\n")
	w.text.Write(after.text.Bytes())
}

// configField is the Go type of an option. A pointer is for options whose 0 or false is a value other than the default.
func configField(w *writer, name string, option *node) (string, error) {
	switch name {
	case "credentials":
		return "*Credentials", nil
	case "local":
		return "any", nil
	case "journal": // not in this version
		return "", nil
	case "queues":
		route := &node{}
		if err := json.Unmarshal(option.AdditionalProperties, route); err != nil {
			return "", err
		}
		w.object("RouteConfig", "is a route of option queues. What is not given is that of the Config.", route, configField)
		return "map[string]RouteConfig", nil
	}
	if len(option.Enum) > 0 {
		return "string", nil
	}
	switch kind := kindOf(option); kind {
	case "string":
		return "string", nil
	case "boolean":
		if option.Default == false {
			return "bool", nil
		}
		return "*bool", nil
	case "integer":
		zero := option.Minimum == nil || option.Minimum.String() == "0"
		if zero && fmt.Sprint(option.Default) != "0" {
			return "*int", nil
		}
		return "int", nil
	default:
		return "", fmt.Errorf("no Go type for %q", kind)
	}
}

// statsField is the Go type of a statistic.
func statsField(w *writer, name string, statistic *node) (string, error) {
	if len(statistic.Enum) > 0 {
		return "string", nil
	}
	switch kind := kindOf(statistic); kind {
	case "string":
		return "string", nil // null is the empty one
	case "number":
		return "float64", nil
	case "integer":
		if slices.Contains(kinds(statistic), "null") {
			return "*uint64", nil
		}
		return "uint64", nil
	case "array":
		if kindOf(statistic.Items) != "object" {
			element, err := statsField(w, name, statistic.Items)
			return "[]" + element, err
		}
		element := "Stats" + goName(strings.TrimSuffix(name, "s"))
		w.object(element, "is an element of "+name+" in Stats.", statistic.Items, statsField)
		return "[]" + element, nil
	case "object":
		named := "Stats" + goName(name)
		about := "is " + name + " in Stats."
		if statistic.Properties["p50"] != nil {
			named, about = "Latency", "is how long something took, in milliseconds. Quantiles are at most 12.5 % too high."
		}
		w.object(named, about, statistic, statsField)
		return named, nil
	default:
		return "", fmt.Errorf("no Go type for %q", kind)
	}
}

func kinds(property *node) []string {
	switch kind := property.Type.(type) {
	case string:
		return []string{kind}
	case []any:
		var all []string
		for _, each := range kind {
			all = append(all, fmt.Sprint(each))
		}
		return all
	}
	return nil
}

// kindOf is the type of a property that is not null.
func kindOf(property *node) string {
	for _, kind := range kinds(property) {
		if kind != "null" {
			return kind
		}
	}
	return ""
}

// goWords replaces names of the C API and of JSON in descriptions with Go's names.
var goWords = strings.NewReplacer(
	"`lambda_executor_drain` with the configured timeout", "DrainConfigured",
	"`lambda_executor_free`", "Close",
	"`sync`", "Sync", "`queue`", "Queue", "`adopt`", "Adopt",
	"QUEUE_FULL", "ErrQueueFull",
	"True if the whole configuration is NULL.", "True if the whole configuration is nil.",
	"log callback is set", "logger is set",
)

// describe is the description of a property, with its default and what is allowed.
func describe(property *node) string {
	text := goWords.Replace(property.Description)
	switch {
	case len(property.Enum) > 0:
		var words []string
		for _, word := range property.Enum {
			if word, ok := word.(string); ok {
				words = append(words, word)
			}
		}
		text += " One of " + strings.Join(words, ", ") + "."
	case property.Minimum != nil && property.Maximum != nil:
		text += fmt.Sprintf(" From %v to %v.", property.Minimum, property.Maximum)
	}
	if property.Default != nil {
		text += fmt.Sprintf(" Default: %v.", property.Default)
	}
	return text
}

// comment writes a text as a comment, with limited line length.
func (w *writer) comment(indent, text string) {
	if text == "" {
		return
	}
	if indent == "" {
		w.text.WriteString("\n")
	}
	line := indent + "//"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 130 {
			w.text.WriteString(line + "\n")
			line = indent + "//"
		}
		line += " " + word
	}
	w.text.WriteString(line + "\n")
}

// goName is a name of JSON as a name of Go: queue_url is QueueURL.
func goName(name string) string {
	initialisms := map[string]string{"url": "URL", "id": "ID", "aws": "AWS", "usd": "USD", "sqs": "SQS"}
	var text strings.Builder
	for _, word := range strings.Split(name, "_") {
		if upper, ok := initialisms[word]; ok {
			text.WriteString(upper)
		} else if word != "" {
			text.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return text.String()
}
