#version 330
// Background gradient, and a round floor that fades into it, with the scene's contact shadow.
uniform vec3 eye;
uniform vec3 top;
uniform vec3 bottom;
uniform vec3 floor_color;
uniform vec3 line_color;
uniform vec2 floor_centre;
uniform float floor_radius;
uniform float shade;            // strength of the contact shadow
uniform sampler2D contact;      // darkness over a square of 2 × floor_radius
#ifdef SHADOW
uniform mat4 light_projection;
uniform sampler2DShadow shadow_map;
uniform float texel;
#endif
in vec3 ray;
in float height;
out vec4 result;

void main() {
    vec3 c = mix(bottom, top, smoothstep(-1.0, 1.0, height));
    if (ray.z < -0.001 && eye.z > 0.0) {
        vec2 p = eye.xy - ray.xy * (eye.z / ray.z);
        float r = length(p - floor_centre) / floor_radius;
        if (r < 1.0) {
            float fade = 1.0 - smoothstep(0.35, 1.0, r);
            vec2 cell = p * 2.0;                                   // a line each half metre
            vec2 width = fwidth(cell);
            vec2 distance_to_line = abs(fract(cell - 0.5) - 0.5) / max(width, vec2(1e-4));
            float grid = 1.0 - min(min(distance_to_line.x, distance_to_line.y), 1.0);
            grid *= 1.0 - smoothstep(0.15, 0.6, max(width.x, width.y));
            vec3 plane = mix(floor_color, line_color, 0.55 * grid);
            float dark = shade * texture(contact, 0.5 + 0.5 * (p - floor_centre) / floor_radius).r;
#ifdef SHADOW
            vec4 l = light_projection * vec4(p, 0.0, 1.0);
            vec3 s = 0.5 * l.xyz + 0.5;
            float sum = 0.0;
            for (int i = 0; i < 6; i++) {
                float turn = 1.0472 * float(i);
                sum += texture(shadow_map, vec3(s.xy + 2.6 * texel * vec2(cos(turn), sin(turn)), s.z - 0.001));
            }
            dark += (1.0 - sum / 6.0) * 0.33 * (1.0 - dark);
#endif
            c = mix(c, plane * (1.0 - dark), fade);
        }
    }
    // half a grey level of fixed noise breaks up the bands of an 8-bit gradient
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    result = vec4(c + (noise - 0.5) / 255.0, 1.0);
}
