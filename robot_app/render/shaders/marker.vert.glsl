#version 330
// Arrow and hidden-ring geometry: a unit mesh placed by one matrix.
uniform mat4 view_projection;
uniform mat4 place;
in vec3 in_position;
in vec3 in_normal;
out vec3 normal;
out vec3 position;
void main() {
    vec4 p = place * vec4(in_position, 1.0);
    position = p.xyz;
    normal = mat3(place) * in_normal;
    gl_Position = view_projection * p;
}
