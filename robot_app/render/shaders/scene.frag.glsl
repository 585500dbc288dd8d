#version 330
// One cheap pass: sky and ground light, a key light with an optional shadow map, a rim. Gloss 0 is skin and cloth
// (soft terminator), 1 is polished metal. PAINT adds the belief and the true itch, for the few faces that may carry
// them: a software rasteriser pays for a branch even where it is not taken.
uniform vec3 eye;
uniform vec3 key;            // unit, towards the light
uniform vec3 sky;
uniform vec3 ground;
uniform vec3 key_color;
uniform vec3 rim_color;
#ifdef PAINT
uniform vec4 itch;           // centre, ring radius (0: none)
uniform vec3 itch_normal;
uniform float heat_on;
uniform vec2 heat_levels;    // values that enclose 50 % and 90 % of the probability
uniform sampler2DArray heat; // (angle, axial, part), highest value 1
uniform sampler2D ramp;      // the colour map
in vec4 surface;
#endif
#ifdef SHADOW
uniform sampler2DShadow shadow_map;
uniform float texel;
in vec3 in_light;
#endif

in vec3 position;
in vec3 normal;
in vec4 color;
out vec4 result;

float lit() {
#ifdef SHADOW
    float sum = 0.0;
    for (int i = 0; i < 4; i++) {
        vec2 offset = vec2(i % 2, i / 2) * 1.9 * texel - 0.95 * texel;      // each tap is itself 2 × 2, filtered
        sum += texture(shadow_map, vec3(in_light.xy + offset, in_light.z - 0.0026));
    }
    return sum / 4.0;
#else
    return 1.0;
#endif
}

#ifdef PAINT
// How much of a line |x| < half_width, in pixels of the gradient, covers this fragment.
float line(float x, float half_width) {
    float slope = fwidth(x);
    return slope < 1e-5 ? 0.0 : 1.0 - smoothstep(half_width - 0.5, half_width + 0.5, abs(x) / slope);
}

// The belief, then the truth, on the skin.
vec3 painted(vec3 albedo, vec3 n) {
    if (heat_on > 0.5 && surface.x > 0.5) {
        float part = floor(surface.x + 0.5);
        float value = texture(heat, vec3(atan(surface.w, surface.z) * 0.159154943 + 0.5, surface.y, part - 1.0)).r;
        if (abs(surface.x - part) < 0.05) {
            vec3 paint = texture(ramp, vec2(value, 0.5)).rgb;
            albedo = mix(albedo, paint * paint, 0.9 * smoothstep(0.04, 0.42, value));
            albedo = mix(albedo, vec3(0.02), 0.75 * line(value - heat_levels.y, 1.1));
            albedo = mix(albedo, vec3(1.0), 0.95 * line(value - heat_levels.x, 1.1));
        }
    }
    if (itch.w > 0.0 && color.a < 0.3) {
        vec3 d = position - itch.xyz;
        float lift = dot(d, itch_normal);
        if (abs(lift) < 0.03 && dot(n, itch_normal) > -0.2) {
            float r = length(d - lift * itch_normal);
            float soft = fwidth(r);
            float ring = abs(r - itch.w);
            albedo = mix(albedo, vec3(0.015), 1.0 - smoothstep(0.0042, 0.0042 + soft, ring));
            albedo = mix(albedo, vec3(1.0, 0.97, 0.92), 1.0 - smoothstep(0.0024, 0.0024 + soft, ring));
            albedo = mix(albedo, vec3(0.015), 1.0 - smoothstep(0.0052, 0.0052 + soft, r));
            albedo = mix(albedo, vec3(0.86, 0.05, 0.16), 1.0 - smoothstep(0.0036, 0.0036 + soft, r));
        }
    }
    return albedo;
}
#endif

void main() {
    vec3 n = normalize(normal);
    vec3 v = normalize(eye - position);
    vec3 albedo = color.rgb;
#ifdef PAINT
    albedo = painted(albedo, n);
#endif
    float gloss = color.a;
    float facing = max(dot(n, v), 0.0);
    float lambert = dot(n, key);
    vec3 wrap = mix(vec3(0.30, 0.16, 0.12), vec3(0.05), min(1.0, 3.0 * gloss));  // light bleeds red through skin
    vec3 direct = max((vec3(lambert) + wrap) / (1.0 + wrap), 0.0) * lit();
    float low = 0.72 + 0.28 * smoothstep(0.0, 0.55, position.z);          // the floor's own occlusion
    vec3 ambient = mix(ground, sky, 0.5 + 0.5 * n.z) * low;
    vec3 light = ambient + key_color * direct + 0.16 * facing;
    vec3 h = normalize(v + key);
    float s2 = max(dot(n, h), 0.0) * step(0.0, lambert);
    s2 *= s2;
    float s8 = s2 * s2 * s2 * s2;
    float shine = s8 * mix(0.05 * s2, 0.55 * s8 * s8 * s8, gloss);          // powers 10 … 48, without pow()
    float edge = 1.0 - facing;
    vec3 rim = rim_color * edge * edge * edge * (0.55 + 0.45 * n.z);
    vec3 c = albedo * light + shine * key_color * 0.55 + rim * (0.35 + albedo);
    c = c * (1.0 + c * 0.09) / (1.0 + 0.38 * c);                           // shoulder: highlights roll off
    result = vec4(sqrt(clamp(c, 0.0, 1.0)), 1.0);
}
