#version 330
uniform vec4 tint;
uniform vec3 eye;
in vec3 normal;
in vec3 position;
out vec4 result;
void main() {
    float facing = abs(dot(normalize(normal), normalize(eye - position)));
    result = vec4(tint.rgb * (0.55 + 0.45 * facing), tint.a);
}
