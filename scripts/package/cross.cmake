# Read by cpack: dpkg-shlibdeps is to look at the binaries of another architecture.
if(NOT EXISTS ${CPACK_GLIMPSE_SYSROOT}/DEBIAN/symbols)  # else the package would depend on nothing, without a word
  message(FATAL_ERROR "no DEBIAN/symbols in ${CPACK_GLIMPSE_SYSROOT}: remove it, and scripts/pi/cross.sh makes it anew")
endif()
set(ENV{DEB_HOST_ARCH} ${CPACK_DEBIAN_PACKAGE_ARCHITECTURE})
