package fakekubelet

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
)

// objects looks a namespace's objects up in the caches.
func (k *Kubelet) objects(namespace string) Objects {
	return Objects{
		Secret: func(name string) *corev1.Secret {
			o, err := k.secrets.Secrets(namespace).Get(name)
			return orNil(o, err)
		},
		ConfigMap: func(name string) *corev1.ConfigMap {
			o, err := k.configs.ConfigMaps(namespace).Get(name)
			return orNil(o, err)
		},
		Claim: func(name string) *corev1.PersistentVolumeClaim {
			o, err := k.claims.PersistentVolumeClaims(namespace).Get(name)
			return orNil(o, err)
		},
	}
}

// orNil takes any error of a cache for absence; caches have no others.
func orNil[T any](o *T, err error) *T {
	if err != nil {
		return nil
	}
	return o
}

// parsedRules remembers the outcome of parsing one version of a ConfigMap.
type parsedRules struct {
	version string
	rules   []Rule
}

// rulesOf returns the fault rules of a namespace. Rules that do not parse are logged, once, and ignored.
func (k *Kubelet) rulesOf(namespace string) []Rule {
	config, err := k.configs.ConfigMaps(namespace).Get(FaultsConfigMap)
	if err != nil {
		return nil
	}
	version := string(config.UID) + "/" + config.ResourceVersion
	known := k.rules.get(namespace)
	if known.version == version {
		return known.rules
	}
	rules, err := ParseRules(config.Data[FaultsKey])
	if err != nil {
		slog.Error("fault rules ignored", "namespace", namespace, "error", err)
	}
	k.rules.put(namespace, parsedRules{version: version, rules: rules})
	return rules
}

func nodeIP(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// addresses hands out pod addresses: 10.64.0.1 and up, each once in the life of a lab.
type addresses struct{ last atomic.Uint32 }

const firstAddress = uint32(10)<<24 | 64<<16

func (a *addresses) next() string {
	return toAddr(firstAddress + a.last.Add(1)).String()
}

func toAddr(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

// startAbove skips the addresses of pods that an earlier process served.
func (a *addresses) startAbove(pods []*corev1.Pod) {
	for _, pod := range pods {
		ip, err := netip.ParseAddr(pod.Status.PodIP)
		if err != nil || !ip.Is4() {
			continue
		}
		bytes := ip.As4()
		if n := binary.BigEndian.Uint32(bytes[:]); n > firstAddress {
			a.last.Store(max(a.last.Load(), n-firstAddress))
		}
	}
}
