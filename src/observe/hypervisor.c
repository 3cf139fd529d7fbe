/* Whether this is a virtual machine or a container, by what each leaves to be seen: x86 hypervisors answer CPUID leaf
 * 0x40000000 with their name, others show in the device tree or in the firmware's vendor name; container engines leave
 * a file or a variable. */
#include "../place/file.h"
#include "provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#    include <cpuid.h>

static void read_virtualisation(struct provenance *provenance_p)
{
    static const struct {
        const char *signature, *name;
    } known[] = {
        {"KVMKVMKVM", "KVM"},           {"Linux KVM Hv", "KVM"},   {"Microsoft Hv", "Hyper-V"},
        {"VMwareVMware", "VMware"},     {"XenVMMXenVMM", "Xen"},   {"TCGTCGTCGTCG", "QEMU"},
        {"VBoxVBoxVBox", "VirtualBox"}, {"bhyve bhyve ", "bhyve"}, {" lrpepyh vr", "Parallels"},
    };
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return;
    provenance_p->virtualised = (ecx & 1u << 31) != 0;
    if (!provenance_p->virtualised) return;
    unsigned words[3];
    char signature[sizeof words + 1] = "";
    __cpuid(0x40000000, eax, words[0], words[1], words[2]);
    memcpy(signature, words, sizeof words);
    const char *name = signature;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(signature, known[i].signature) == 0) name = known[i].name;
    snprintf(provenance_p->hypervisor, sizeof provenance_p->hypervisor, "%s", name);
}

#else

static void read_virtualisation(struct provenance *provenance_p)
{
    static const char *const vendors[] = {"QEMU", "KVM", "VMware", "Xen", "Microsoft Corporation", "Google", "Apple"};
    char text[256], product[256];
    if (file_read(sizeof text, text, "/proc/device-tree/hypervisor/compatible") > 0) {
        provenance_p->virtualised = 1;
        snprintf(provenance_p->hypervisor, sizeof provenance_p->hypervisor, "%.31s", text);
        return;
    }
    if (file_read(sizeof text, text, "/sys/class/dmi/id/sys_vendor") <= 0) return;
    file_read(sizeof product, product, "/sys/class/dmi/id/product_name");
    provenance_p->virtualised = strncmp(text, "Amazon EC2", 10) == 0 && !strstr(product, "metal");
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
        if (strncmp(text, vendors[i], strlen(vendors[i])) == 0) provenance_p->virtualised = 1;
    if (provenance_p->virtualised) snprintf(provenance_p->hypervisor, sizeof provenance_p->hypervisor, "%.31s", text);
}

#endif

static const char *find_container(char *text_p, size_t length)
{
    static const struct {
        const char *path, *name;
    } marks[] = {{"/.dockerenv", "docker"}, {"/run/.containerenv", "podman"}, {"/.singularity.d", "apptainer"}};
    struct utsname system;
    if (uname(&system) == 0 && (strstr(system.release, "microsoft") || strstr(system.release, "Microsoft")))
        return "wsl";
    if (getenv("KUBERNETES_SERVICE_HOST")) return "kubernetes";
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (access(marks[i].path, F_OK) == 0) return marks[i].name;
    if (file_read(length, text_p, "/run/systemd/container") > 0) return text_p; /* as its manager told systemd */
    const char *said = getenv("container");                                     /* as its manager told everybody */
    return said ? said : "";
}

void provenance_read_hypervisor(struct provenance *provenance_p)
{
    char text[32];
    provenance_p->virtualised = -1;
    provenance_p->hypervisor[0] = '\0';
    read_virtualisation(provenance_p);
    snprintf(provenance_p->container, sizeof provenance_p->container, "%s", find_container(text, sizeof text));
}
