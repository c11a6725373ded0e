# The library as one object (one_object.sh), which is half of what the objects of its files are: in a Release build by gcc for x86-64.
# Everything else, and a gcc that cannot do it, makes the library of an object for each file.
set(TENON_ONE_OBJECT OFF)
# -g0: what -g would say of each file is in objects that the assembly alone does not bring along.
separate_arguments(TENON_LTO_COMPILER UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_RELEASE} -fPIC -fno-semantic-interposition -g0")
list(PREPEND TENON_LTO_COMPILER ${CMAKE_C_COMPILER})
set(TENON_LTO_SCRIPT ${PROJECT_SOURCE_DIR}/cmake/one_object.sh)

function(tenon_try_one_object)
    set(folder ${PROJECT_BINARY_DIR}/CMakeFiles/one_object)
    file(WRITE ${folder}/try.c "const char *tn_try(void);\nconst char *tn_try(void)\n{\n    return \"try\";\n}\n")
    execute_process(COMMAND ${TENON_LTO_COMPILER} -flto -c ${folder}/try.c -o ${folder}/try.o RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
        execute_process(COMMAND sh ${TENON_LTO_SCRIPT} ${folder}/named.o ${folder}/plain.o ${TENON_LTO_COMPILER} ${folder}/try.o
                        RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    endif()
    if(failed)
        message(STATUS "This compiler cannot make one object of the library: the static library will be larger")
    else()
        set(TENON_ONE_OBJECT ON PARENT_SCOPE)
    endif()
endfunction()

if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64"
   AND CMAKE_SIZEOF_VOID_P EQUAL 8 AND CMAKE_BUILD_TYPE STREQUAL "Release"
   AND NOT TENON_SANITIZE AND NOT TENON_THREAD_SANITIZE AND NOT TENON_FUZZ)
    tenon_try_one_object()
endif()

# What compiles the library's files for it; some tests also want each file's own object.
set(TENON_LTO "")
if(TENON_ONE_OBJECT)
    set(TENON_LTO -flto)
    if(TENON_TESTS)
        list(APPEND TENON_LTO -ffat-lto-objects)
    endif()
endif()

# named, plain: variables for the object with the names of inner functions and for that without, of these targets, whose objects they are made of.
function(tenon_one_object named plain targets objects flags)
    set(folder ${PROJECT_BINARY_DIR}/CMakeFiles/one_object)
    set(made ${folder}/tenon_named.o ${folder}/tenon.o)
    add_custom_command(OUTPUT ${made} COMMAND sh ${TENON_LTO_SCRIPT} ${made} ${TENON_LTO_COMPILER} ${flags} ${objects}
                       DEPENDS ${objects} ${TENON_LTO_SCRIPT} COMMENT "Making one object of the library" COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(tenon_one_object DEPENDS ${made}) # once, whichever library is made first
    add_dependencies(tenon_one_object ${targets})
    set_source_files_properties(${made} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    list(GET made 0 first)
    list(GET made 1 second)
    set(${named} ${first} PARENT_SCOPE)
    set(${plain} ${second} PARENT_SCOPE)
endfunction()
