# %% [markdown]
# # Features from JAX
# Arrays of JAX on the CPU are measured as they are; the network here is random, for any will do.

# %%
import deepfreq as df
import jax
import jax.numpy as jnp

keys = jax.random.split(jax.random.key(0), 6)
labels = jax.random.randint(keys[0], (2000,), 0, 5)
features = jax.random.normal(keys[1], (5, 50))[labels] + jax.random.normal(keys[2], (2000, 50))

# %%
layers = {"input": features}
for i, key in enumerate(keys[3:], 1):
    weights = jax.random.normal(key, (features.shape[1], 100)) * (2 / (features.shape[1] + 100)) ** 0.5
    features = jnp.tanh(features @ weights)
    layers[f"layer {i}"] = features

# %%
spectra = df.spectra(layers, labels)
for name, s in spectra.items():
    print(f"{name}: RDF peaks at 1/delta = {s.peak.inv_delta:.4g}")
spectra.plot().figure.savefig("jax_features.png")
