# Debian 12's package of xsimd asks to link xtl, which it neither needs nor depends on; the linker would look for a libxtl.
get_target_property(dlas_xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
if(dlas_xsimd_links STREQUAL "xtl" AND NOT TARGET xtl)
    set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "")
endif()
