# Read by cpack: dpkg-shlibdeps is to look at the binaries of another architecture.
set(ENV{DEB_HOST_ARCH} ${CPACK_DEBIAN_PACKAGE_ARCHITECTURE})
