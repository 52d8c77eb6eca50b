//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"encoding/json"
	"unsafe"
)

// jsonText returns a value as JSON: text unchanged, nil as a nil slice, anything else marshalled. A nil slice is an empty text, which is
// not nil: a program whose configuration was read as nothing must not get Airflow's.
func jsonText(value any) ([]byte, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(value), nil
	case []byte:
		return append([]byte{}, value...), nil
	case json.RawMessage:
		return append([]byte{}, value...), nil
	}
	return json.Marshal(value)
}

// chars is the text for the duration of one call: C copies what it keeps. NULL only for a nil slice.
func chars(text []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(text))) }

func charsOf(text string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(text))) }

// appendJSONString appends text as a JSON string. Bytes that are not UTF-8 stay, so that the library refuses them: encoding/json would
// silently run another command.
func appendJSONString(to []byte, text string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < 0x20:
			to = append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}
