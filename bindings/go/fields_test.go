package lambdaexecutor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestSplitFields(t *testing.T) {
	for message, expected := range map[string]string{
		"":                        "|[]",
		"nothing":                 "nothing|[]",
		"a = b":                   "a = b|[]",
		"other=1":                 "other=1|[]",
		"no space at wait_ms =1":  "no space at wait_ms =1|[]",
		"not a number wait_ms=1s": "not a number wait_ms=1s|[]",
		"freed while tasks run on Lambda running=3":                          "freed while tasks run on Lambda|[running=3]",
		"ended: exit 3 task_key=a state=failed reason=exit":                  "ended: exit 3|[task_key=a state=failed reason=exit]",
		"ended: task_key=nightly report, 2 state=succeeded reason=exit":      "ended:|[task_key=nightly report, 2 state=succeeded reason=exit]",
		"LOST: state=9 is no state task_key=a=b request_id=":                 "LOST: state=9 is no state|[task_key=a=b request_id=]",
		"the queue cannot be read queue=results failures=4 next_try_ms=1000": "the queue cannot be read|[queue=results failures=4 next_try_ms=1000]",
		`Lambda refuses route="" pause_ms=5 limit=6`:                         "Lambda refuses|[route= pause_ms=5 limit=6]",
		`Lambda refuses route="of the night" failures=2`:                     "Lambda refuses|[route=of the night failures=2]",
		`said "quoted"`:                   `said "quoted"|[]`,
		`a message: x="y z"`:              `a message: x="y z"|[]`,
		"twice state=failed state=failed": "twice state=failed|[state=failed]",
		"äöü task_key=schlüssel":          "äöü|[task_key=schlüssel]",
	} {
		text, attrs := splitFields(message)
		if got := fmt.Sprintf("%s|%v", text, attrs); got != expected {
			t.Errorf("%q: %q, expected %q", message, got, expected)
		}
	}
}

// Every field that the library logs is known here.
func TestFieldsAreTheLibrarys(t *testing.T) {
	record := regexp.MustCompile(`tracing::(?:error|warn|info|debug|trace)!\(([^"]*)"`)
	field := regexp.MustCompile(`([a-z_]+)(?: = [^,]*(?:\([^()]*\))?)?,`)
	records := 0
	err := filepath.WalkDir("../../src", func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".rs") || strings.HasSuffix(path, "tests.rs") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range record.FindAllStringSubmatch(string(source), -1) {
			records++
			for _, name := range field.FindAllStringSubmatch(found[1], -1) {
				if !numberFields[name[1]] && !wordFields[name[1]] && name[1] != keyField {
					t.Errorf("%s: field %s", path, name[1])
				}
			}
		}
		return nil
	})
	if err != nil || records < 20 {
		t.Error(records, "records,", err)
	}
}
