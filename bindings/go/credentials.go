//go:build linux && cgo

package lambdaexecutor

import (
	"fmt"
	"io"
)

// Credentials are keys of AWS, for [Config] and SetCredentials. Printed with fmt, they do not show the secrets; in JSON they do.
type Credentials struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SessionToken    string `json:"session_token,omitempty"` // Only of temporary ones.
}

// Format prints the access key only, for every verb of fmt.
func (c Credentials) Format(to fmt.State, _ rune) {
	_, _ = io.WriteString(to, "credentials of "+c.AccessKeyID) // fmt reports no errors of a Formatter
}

// Ptr returns a pointer to a value, for the optional fields of [Config].
func Ptr[T any](value T) *T { return &value }
