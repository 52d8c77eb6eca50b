//go:build linux && cgo

package lambdaexecutor

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// In JSON, logs and other text, states, reasons and statuses are their names.

// MarshalText returns the name, as String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *State) UnmarshalText(text []byte) error { return states().read(string(text), (*int32)(s)) }

// MarshalText returns the name, as String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *Reason) UnmarshalText(text []byte) error { return reasons().read(string(text), (*int32)(r)) }

// MarshalText returns the name, as String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Status) UnmarshalText(text []byte) error { return statuses().read(string(text), (*int32)(s)) }

// numbers are the numbers of one kind by their names.
type numbers struct {
	kind  string
	named map[string]int32
}

var (
	states   = sync.OnceValue(func() numbers { return numbersOf("state", func(n int32) string { return State(n).String() }) })
	reasons  = sync.OnceValue(func() numbers { return numbersOf("reason", func(n int32) string { return Reason(n).String() }) })
	statuses = sync.OnceValue(func() numbers { return numbersOf("status", func(n int32) string { return Status(n).String() }) })
)

// numbersOf asks the library, which may be newer than this package and know more names.
func numbersOf(kind string, name func(int32) string) numbers {
	named := map[string]int32{}
	for n := int32(-64); n <= 64; n++ {
		if text := name(n); !strings.Contains(text, " ") {
			named[text] = n
		}
	}
	return numbers{kind, named}
}

func (n numbers) read(text string, to *int32) error {
	if number, ok := n.named[text]; ok {
		*to = number
		return nil
	}
	// A number without a name: "state 99".
	if digits, ok := strings.CutPrefix(text, n.kind+" "); ok {
		if number, err := strconv.ParseInt(digits, 10, 32); err == nil {
			*to = int32(number)
			return nil
		}
	}
	return fmt.Errorf("lambda_executor: %q is not the name of a %s", text, n.kind)
}

// LogValue makes the event a group of attributes: what identifies it and how the task ended, without its output and value.
func (e Event) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("task_key", e.Key), slog.String("state", e.State.String())}
	if e.State.Final() {
		attrs = append(attrs, slog.String("reason", e.Reason.String()))
	}
	if e.HasReturnCode {
		attrs = append(attrs, slog.Int("return_code", e.ReturnCode))
	}
	for _, text := range []struct{ name, value string }{{"message", e.Message}, {"request_id", e.RequestID}, {"attempt_id", e.AttemptID}} {
		if text.value != "" {
			attrs = append(attrs, slog.String(text.name, text.value))
		}
	}
	return slog.GroupValue(attrs...)
}
