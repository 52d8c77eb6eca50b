package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"encoding/json"
	"unsafe"
)

// jsonText is a value as JSON: text as it is, nil as nothing, anything else marshalled. A slice that is nil is a text that
// is empty: whoever has read none does not ask for what nil means.
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

// chars is the text for the time of one call: C copies what it keeps. NULL only where there is no slice at all.
func chars(text []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(text))) }

func charsOf(text string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(text))) }

// appendJSONString appends text as a JSON string. Bytes that are no UTF-8 stay what they are, for the library to refuse:
// encoding/json would silently run another command.
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
