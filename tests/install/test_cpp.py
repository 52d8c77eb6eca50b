"""A program in C++ against the installed headers, in the oldest and in a newer standard."""

from pathlib import Path

import pytest
from prefix import Prefix

PROGRAM = """\
#include <iostream>
#include <lambda_executor.hpp>

int main() {
  namespace le = lambdaexecutor;
  le::executor ex(R"({"local": {}})");
  if (ex.queue(le::task("greeting").command({"echo", "hello"})) != le::status::ok)
    return 1;
  for (bool final = false; !final;)
    for (le::event event : ex.sync(le::forever, 1)) {
      std::cout << event.key() << ": " << le::name(event.state()) << ' ' << event.output_tail() << '\\n';
      final = event.state() >= le::task_state::succeeded;
    }
}
"""
PROJECT = """\
cmake_minimum_required(VERSION 3.13)
project(hello CXX)
find_package(LambdaExecutor 0.2 REQUIRED)
add_executable(hello hello.cpp)
target_compile_features(hello PRIVATE cxx_std_17)
target_link_libraries(hello PRIVATE LambdaExecutor::lambda_executor)
"""
PRINTED = "greeting: running \ngreeting: succeeded hello\n\n"


@pytest.mark.parametrize("standard", ["c++17", "c++20"])
def test_with_pkg_config(installed: Prefix, tmp_path: Path, standard: str) -> None:
    (tmp_path / "hello.cpp").write_text(PROGRAM)
    flags = f"-std={standard} -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags --libs lambda_executor)"
    installed.sh(f"c++ hello.cpp {flags} -o hello", tmp_path)
    assert installed.sh("./hello", tmp_path, LD_LIBRARY_PATH=str(installed.libdir)) == PRINTED


def test_with_cmake(moved: Prefix, tmp_path: Path) -> None:
    (tmp_path / "hello.cpp").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    moved.sh(f'cmake -S . -B build "-DCMAKE_PREFIX_PATH={moved.folder}" && cmake --build build', tmp_path)
    assert moved.sh("build/hello", tmp_path) == PRINTED
