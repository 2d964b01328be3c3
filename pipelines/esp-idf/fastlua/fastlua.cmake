# fastlua_build(FOLDER name [MANIFEST file] [MODULES file...] [OPTIONS option...])
#
# Runs fastlua to write fast.c and fast_chunks.h into a folder of the build, whenever a file that it read has changed,
# and sets fastlua_SOURCES to them. Without MODULES it builds the fast.toml that MANIFEST names.
# FASTLUA is the command; CMake finds it unless you set it. CMake 3.20 or later.

function(fastlua_build)
  cmake_parse_arguments(PARSE_ARGV 0 given "" "FOLDER;MANIFEST" "MODULES;OPTIONS")
  if(given_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "fastlua_build does not know ${given_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT given_FOLDER)
    message(FATAL_ERROR "fastlua_build needs FOLDER, a name in the build folder")
  endif()
  if(NOT given_MANIFEST AND NOT given_MODULES)
    set(given_MANIFEST fast.toml)
  endif()
  find_program(FASTLUA fastlua DOC "fastlua, which puts Lua modules into firmware")
  if(NOT FASTLUA)
    message(FATAL_ERROR "fastlua is not installed: docs/pipelines.md of fastlua tells how, or set FASTLUA to the command")
  endif()

  set(inputs "")
  foreach(file IN LISTS given_MANIFEST given_MODULES)
    get_filename_component(file "${file}" ABSOLUTE)
    list(APPEND inputs "${file}")
  endforeach()
  get_filename_component(folder "${given_FOLDER}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  set(sources "${folder}/fast.c" "${folder}/fast_chunks.h")
  set(stamp "${folder}/fast.stamp")
  file(MAKE_DIRECTORY "${folder}")
  set(command "")
  if(IS_ABSOLUTE "${FASTLUA}") # another fastlua may make other files
    set(command "${FASTLUA}")
  endif()
  # The stamp is the rule's own file: unchanged outputs are not touched.
  add_custom_command(
    OUTPUT "${stamp}" ${sources}
    COMMAND "${FASTLUA}" build ${inputs} -o "${folder}" -M "${folder}/fast.d" --stamp "${stamp}" --quiet ${given_OPTIONS}
    DEPENDS ${inputs} ${command}
    DEPFILE "${folder}/fast.d"
    COMMENT "fastlua: Lua modules to ${given_FOLDER}/fast.c"
    VERBATIM)
  set_source_files_properties("${folder}/fast.c" PROPERTIES OBJECT_DEPENDS "${folder}/fast_chunks.h")
  set(fastlua_SOURCES "${folder}/fast.c" PARENT_SCOPE)
endfunction()
