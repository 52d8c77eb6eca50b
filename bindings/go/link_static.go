//go:build static

package lambdaexecutor

// A name of its own, since the linker prefers the shared library wherever both are installed, whatever --static says.

// #cgo pkg-config: lambda_executor-static
import "C"
