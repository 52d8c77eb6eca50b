//go:build linux && cgo

package lambdaexecutor

import (
	"log/slog"
	"strconv"
	"strings"
)

// The library appends the fields of a log record to its message, as in
//
//	ended: the command failed task_key=nightly report state=failed reason=exit
//
// numberFields and wordFields are the fields other than the key. Their values have no white space unless they are quoted.
var (
	numberFields = set("age_ms", "ago_ms", "attempts", "dropped", "failures", "given_up", "limit", "next_try_ms", "orphans", "outage_ms",
		"pause_ms", "queued", "running", "tries", "wait_ms")
	wordFields = set("message_id", "queue", "reason", "request_id", "route", "state")
)

// keyField comes before the other fields. Its value may contain white space and any other text.
const keyField = "task_key"

func set(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// splitFields returns the message without its fields, and the fields. Unknown fields remain in the message. If the text of a key or of
// a message itself ends with the form of a field, that part is read as a field.
func splitFields(message string) (string, []slog.Attr) {
	var reversed []slog.Attr
	found := map[string]bool{}
	rest := message
	for {
		before, attr, ok := lastField(rest)
		if !ok || found[attr.Key] {
			break
		}
		found[attr.Key] = true
		rest, reversed = before, append(reversed, attr)
	}
	if at := strings.LastIndex(rest, " "+keyField+"="); at >= 0 {
		value := rest[at+len(keyField)+2:]
		if text, ok := unquoted(value); ok {
			value = text
		}
		rest, reversed = rest[:at], append(reversed, slog.String(keyField, value))
	}
	attrs := make([]slog.Attr, len(reversed))
	for i, attr := range reversed {
		attrs[len(reversed)-1-i] = attr
	}
	return rest, attrs
}

// lastField cuts a field of a number or a word from the end of a text.
func lastField(text string) (before string, field slog.Attr, ok bool) {
	at := strings.LastIndexByte(text, ' ')
	if strings.HasSuffix(text, `"`) {
		// The last white space may be inside the quotes.
		if open := strings.LastIndex(text[:len(text)-1], `="`); open >= 0 {
			at = strings.LastIndexByte(text[:open], ' ')
		}
	}
	if at < 0 {
		return text, slog.Attr{}, false
	}
	name, value, _ := strings.Cut(text[at+1:], "=")
	if numberFields[name] {
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			return text[:at], slog.Int64(name, number), true
		}
	}
	if wordFields[name] {
		if inside, quoted := unquoted(value); quoted {
			return text[:at], slog.String(name, inside), true
		}
		if !strings.ContainsAny(value, ` "`) {
			return text[:at], slog.String(name, value), true
		}
	}
	return text, slog.Attr{}, false
}

// unquoted removes the quotes that the library adds to a value that is empty or has white space.
func unquoted(value string) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return value, false
	}
	text, err := strconv.Unquote(value)
	return text, err == nil
}
