package lambdaexecutor_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
	"github.com/lambda-executor/lambda-executor/bindings/go/internal/schema"
)

// The committed files are those that the generator makes from the schemas. With UPDATE=1 the test writes them.
func TestGenerated(t *testing.T) {
	statistics, err := os.ReadFile("../../docs/statistics.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for file, generate := range map[string]func() ([]byte, error){
		"config.go": func() ([]byte, error) { return schema.Config(lambdaexecutor.ConfigSchema()) },
		"stats.go":  func() ([]byte, error) { return schema.Stats(statistics) },
	} {
		text, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if committed, err := os.ReadFile(file); err != nil || string(committed) != string(text) {
			t.Errorf("%s is not of this library (%v): bindings/go/test.sh --update", file, err)
		}
	}
}

func TestTypedConfiguration(t *testing.T) {
	config := lambdaexecutor.Config{
		Local:           map[string]string{"handler": "builtin"},
		RunningEvents:   lambdaexecutor.Ptr(false),
		ShutdownGraceMs: lambdaexecutor.Ptr(0),
		MaxQueuedTasks:  1,
		Log:             "off",
		Queues:          map[string]lambdaexecutor.RouteConfig{"night": {MaxConcurrentInvokes: 2, MaxRunningTasks: lambdaexecutor.Ptr(0)}},
	}
	for _, config := range []any{config, &config} {
		ex := start(t, config)
		if event, err := ex.Run(within(t), lambdaexecutor.Task{Key: "a", Queue: "night", Shell: "true"}); err != nil || event.Err() != nil || event.Seq != 1 {
			t.Errorf("%+v %v", event, err)
		}
	}
	text, err := json.Marshal(config)
	expected := `{"local":{"handler":"builtin"},"log":"off","max_queued_tasks":1,` +
		`"queues":{"night":{"max_concurrent_invokes":2,"max_running_tasks":0}},"running_events":false,"shutdown_grace_ms":0}`
	if string(text) != expected || err != nil {
		t.Errorf("%s, expected %s", text, expected)
	}
	_, err = lambdaexecutor.New(lambdaexecutor.Config{WorkerThreads: 65, Local: struct{}{}})
	wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "worker_threads: `65` is out of range")
}

// Every option of the schema can be set, and no others.
func TestEveryOptionHasAField(t *testing.T) {
	var options struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(lambdaexecutor.ConfigSchema(), &options); err != nil {
		t.Fatal(err)
	}
	delete(options.Properties, "journal") // not in this version
	config := reflect.TypeFor[lambdaexecutor.Config]()
	for i := range config.NumField() {
		name, _, _ := strings.Cut(config.Field(i).Tag.Get("json"), ",")
		if options.Properties[name] == nil {
			t.Errorf("%s is no option", name)
		}
		delete(options.Properties, name)
	}
	if len(options.Properties) > 0 {
		t.Error("no fields:", options.Properties)
	}
}

func TestCredentialsAreNotPrinted(t *testing.T) {
	credentials := &lambdaexecutor.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "hidden", SessionToken: "hidden"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{credentials, *credentials} {
			if text := fmt.Sprintf(verb, value); text != "credentials of AKIA" {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
	if text, err := json.Marshal(credentials); !strings.Contains(string(text), `"secret_access_key":"hidden"`) || err != nil {
		t.Error(string(text), err)
	}
}

func TestTypedStatistics(t *testing.T) {
	ex := start(t, builtin)
	if _, err := ex.Run(within(t), lambdaexecutor.Task{Key: "a", Shell: "true"}); err != nil {
		t.Fatal(err)
	}
	stats, err := ex.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if stats.Version != lambdaexecutor.Version() || stats.Totals.Succeeded != 1 || stats.LatencyMs.RunTime.Count != 1 || stats.Health.State == "" ||
		stats.CostEstimateUSD.Total <= 0 || len(stats.Routes) != 1 || stats.Routes[0].Name != "default" {
		t.Errorf("%+v", stats)
	}
	// Every member is there, with the same name.
	var raw, typed map[string]any
	text, err := json.Marshal(stats)
	if err != nil || json.Unmarshal(text, &typed) != nil || json.Unmarshal(stats.Raw, &raw) != nil {
		t.Fatal(err, stats.Raw)
	}
	if got, expected := members("", typed), members("", raw); got != expected {
		t.Errorf("members\n%s\nexpected\n%s", got, expected)
	}
}

// members are the names of all members of a JSON value, in order.
func members(path string, value any) (names string) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			names += path + "." + name + "\n" + members(path+"."+name, value[name])
		}
	case []any:
		for _, element := range value {
			names += members(path+"[]", element)
		}
	}
	return names
}
