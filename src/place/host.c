/* A name is ours if it is what the kernel calls this machine, or if one can bind a socket to an address of it: that
 * needs an interface here to have it. */
#include "host.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

bool host_same_name(const char *a, const char *b)
{
    size_t short_a = strcspn(a, "."), short_b = strcspn(b, ".");
    if (short_a != short_b || strncasecmp(a, b, short_a) != 0) return false;
    return !a[short_a] || !b[short_b] || strcasecmp(a, b) == 0;
}

static bool has_address(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool ours = bind(fd, address->ai_addr, address->ai_addrlen) == 0;
    close(fd);
    return ours;
}

bool host_is_this(const char *name)
{
    struct utsname system;
    if (strcasecmp(name, "localhost") == 0) return true;
    if (uname(&system) == 0 && host_same_name(name, system.nodename)) return true;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM}, *addresses;
    bool ours = false;
    if (getaddrinfo(name, NULL, &hints, &addresses) != 0) return false;
    for (const struct addrinfo *address = addresses; address && !ours; address = address->ai_next)
        ours = has_address(address);
    freeaddrinfo(addresses);
    return ours;
}
