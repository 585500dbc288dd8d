#version 330
// Linear-blend skinning: each frame is an affine map of three rows; a rigid vertex has all its weight on the first.
layout(std140) uniform Frames { vec4 rows[192]; };
uniform mat4 view_projection;
uniform mat4 light_projection;

in vec3 in_position;
in vec3 in_normal;
in vec4 in_color;      // sRGB and gloss
in uvec4 in_bones;
in vec4 in_weights;
in vec4 in_surface;    // part + 1 (0: not on a part), axial, cos, sin of the angle

out vec3 position;
out vec3 normal;
out vec4 color;
#ifdef PAINT
out vec4 surface;
#endif
#ifdef SHADOW
out vec3 in_light;
#endif

void main() {
    int k = 3 * int(in_bones.x);
    vec4 x = rows[k], y = rows[k + 1], z = rows[k + 2];
    if (in_weights.x < 0.999) {
        x *= in_weights.x; y *= in_weights.x; z *= in_weights.x;
        k = 3 * int(in_bones.y);
        x += in_weights.y * rows[k]; y += in_weights.y * rows[k + 1]; z += in_weights.y * rows[k + 2];
        k = 3 * int(in_bones.z);
        x += in_weights.z * rows[k]; y += in_weights.z * rows[k + 1]; z += in_weights.z * rows[k + 2];
        k = 3 * int(in_bones.w);
        x += in_weights.w * rows[k]; y += in_weights.w * rows[k + 1]; z += in_weights.w * rows[k + 2];
    }
    vec4 p = vec4(in_position, 1.0);
    position = vec3(dot(x, p), dot(y, p), dot(z, p));
    normal = vec3(dot(x.xyz, in_normal), dot(y.xyz, in_normal), dot(z.xyz, in_normal));
    color = vec4(in_color.rgb * in_color.rgb, in_color.a);  // squared: near enough to linear light
#ifdef PAINT
    surface = in_surface;
#endif
#ifdef SHADOW
    in_light = 0.5 * (light_projection * vec4(position, 1.0)).xyz + 0.5;
#endif
    gl_Position = view_projection * vec4(position, 1.0);
}
