//go:build !(linux && cgo)

package lambdaexecutor

// The package calls a library in C, which needs Linux. Go switches cgo off where CGO_ENABLED is 0, where there is no C compiler, and
// where the target is another system or processor than this machine. The compiler prints the name of this variable, which nothing defines.
var _ = needs_Linux_and_cgo__set_CGO_ENABLED_to_1_and_install_a_C_compiler_and_the_library_for_the_target
