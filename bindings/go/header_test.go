package lambdaexecutor_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// The numbers in Go are written by hand. Each must be in the header, and each number of the header in Go.
func TestNumbersAreTheHeaders(t *testing.T) {
	header, err := os.ReadFile("../../include/lambda_executor.h")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func(name string) string{
		"Status": func(name string) string {
			return strings.TrimPrefix(name, "ERR_")
		},
		"State":     func(name string) string { return cut(name, "TASK_") },
		"Reason":    func(name string) string { return cut(name, "REASON_") },
		"DrainMode": func(name string) string { return cut(name, "DRAIN_") },
	}
	prefixes := map[string]string{"Status": "Err", "State": "State", "Reason": "Reason", "DrainMode": "Drain"}
	other := regexp.MustCompile(`^(TASK|REASON|DRAIN|LOG|MAX)_|VERSION|^(TIMEOUT_CONFIGURED|DEFAULT_EVENTS|ATTEMPT_ID_SIZE)$`)
	inHeader := map[string]map[string]int64{}
	for kind := range kinds {
		inHeader[kind] = map[string]int64{}
	}
	for _, found := range regexp.MustCompile(`(?m)^#define LAMBDA_EXECUTOR_([A-Z_]+) +\(?(-?\d+)[u)]?(?: |$)`).FindAllStringSubmatch(string(header), -1) {
		number, _ := strconv.ParseInt(found[2], 10, 64)
		for kind, short := range kinds {
			if (kind == "Status") == other.MatchString(found[1]) {
				continue
			}
			if name := short(found[1]); name != "" {
				inHeader[kind][strings.ReplaceAll(name, "_", "")] = number
			}
		}
	}
	for kind, constants := range constantsOf(t, "status.go", "state.go", "drain.go") {
		inGo := map[string]int64{}
		for name, number := range constants {
			inGo[strings.ToUpper(strings.TrimPrefix(name, prefixes[kind]))] = number
		}
		if got, expected := fmt.Sprint(inGo), fmt.Sprint(inHeader[kind]); got != expected || len(inGo) < 2 {
			t.Errorf("%s\nin Go:         %s\nin the header: %s", kind, got, expected)
		}
	}
}

func cut(name, prefix string) string {
	rest, found := strings.CutPrefix(name, prefix)
	if !found {
		return ""
	}
	return rest
}

// constantsOf returns the numbers by type and name.
func constantsOf(t *testing.T, files ...string) map[string]map[string]int64 {
	constants := map[string]map[string]int64{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, ok := spec.Type.(*ast.Ident)
			if !ok {
				return true
			}
			value, sign := spec.Values[0], int64(1)
			if negative, ok := value.(*ast.UnaryExpr); ok {
				value, sign = negative.X, -1
			}
			number, err := strconv.ParseInt(value.(*ast.BasicLit).Value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if constants[kind.Name] == nil {
				constants[kind.Name] = map[string]int64{}
			}
			constants[kind.Name][spec.Names[0].Name] = sign * number
			return true
		})
	}
	return constants
}

func TestNames(t *testing.T) {
	for value, name := range map[fmt.Stringer]string{
		lambdaexecutor.OK:                   "OK",
		lambdaexecutor.ErrDuplicate:         "DUPLICATE",
		lambdaexecutor.ErrPayloadTooLarge:   "ERR_PAYLOAD_TOO_LARGE",
		lambdaexecutor.ErrPartial:           "PARTIAL",
		lambdaexecutor.StateQueued:          "queued",
		lambdaexecutor.StateUnknown:         "unknown",
		lambdaexecutor.ReasonDeadLetter:     "dead_letter",
		lambdaexecutor.ReasonNone:           "none",
		lambdaexecutor.ReasonReplyToRefused: "reply_to_refused",
		lambdaexecutor.ReasonValueTooLarge:  "value_too_large",
		lambdaexecutor.Status(99):           "status 99",
		lambdaexecutor.State(99):            "state 99",
		lambdaexecutor.Reason(-1):           "reason -1",
	} {
		if value.String() != name {
			t.Errorf("%q, expected %q", value.String(), name)
		}
	}
	if lambdaexecutor.OK.Err() != nil || lambdaexecutor.ErrNotFound.Err() != lambdaexecutor.ErrNotFound {
		t.Error("Err of a status")
	}
}
